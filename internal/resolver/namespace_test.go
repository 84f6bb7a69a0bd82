// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/thread"
	"github.com/landlockd/landlockd/test/testenv"
)

// TestResolveInNamespace: where paths begin at the root directory of another mount namespace,
// as /proc/1/root in a container is, this process's own has no part in it.
func TestResolveInNamespace(t *testing.T) {
	testenv.NeedRoot(t)
	dir := house(t, "etc/", "etc/shadow", "link -> /etc/shadow")
	entered, leave := make(chan error), make(chan struct{})
	var tid int
	wait := thread.Run(func() {
		tid = unix.Gettid()
		entered <- enter(dir)
		<-leave
	})
	defer wait()
	defer close(leave)
	if err := <-entered; err != nil {
		t.Fatal(err)
	}
	l := openLocal(t, fmt.Sprintf("/proc/self/task/%d/root", tid),
		of([]string{"/etc/shadow", "/link", "/usr"}))
	want := "0: -1 directory /etc\n1: 0 file /etc/shadow in 0\n2: 0 file /etc/shadow in 0\n" +
		"3: -1 directory /\n4: 0 file /etc/shadow in 3\n5: 0 absent /usr\n"
	if got := resolved(t, l, dir); got != want {
		t.Errorf("%swant\n%s", got, want)
	}
}

// enter makes a directory the top of a mount namespace of this thread.
func enter(dir string) (err error) {
	for _, step := range []func() error{
		func() error { return unix.Unshare(unix.CLONE_NEWNS) }, // and CLONE_FS with it
		func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") },
		func() error { return unix.Mount(dir, dir, "", unix.MS_BIND, "") },
		func() error { return unix.Chdir(dir) },
		func() error { return unix.Mount(".", "/", "", unix.MS_MOVE, "") },
		func() error { return unix.Chroot(".") },
	} {
		if err == nil {
			err = step()
		}
	}
	return err
}
