// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/test/testenv"
)

// apartEnv is set for a test's own process, in a mount namespace of its own: nobody else comes
// upon what does not answer.
const apartEnv = "LANDLOCKD_TEST_APART"

// silent mounts a file system that never answers, and returns what ends it.
func silent(t *testing.T, dir string) (end func()) {
	t.Helper()
	const device, mode, major, minor = "fuse", unix.S_IFCHR | 0o600, 10, 229
	path := filepath.Join(t.TempDir(), device)
	if err := unix.Mknod(path, mode, int(unix.Mkdev(major, minor))); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd)
	if err := unix.Mount("silent", dir, "fuse", 0, options); err != nil {
		t.Fatal(err)
	}
	return func() { unix.Close(fd) }
}

// TestStuck: what never answers is unreadable, delays one asset once, and leaves no more than
// a few calls and no descriptor.
func TestStuck(t *testing.T) {
	testenv.NeedRoot(t)
	if os.Getenv(apartEnv) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStuck$", "-test.timeout=5m")
		cmd.Env = append(os.Environ(), apartEnv+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	dir := house(t, "stuck/", "other/", "other/file", "link -> stuck/x")
	end := silent(t, dir+"/stuck")
	l := openLocal(t, "/", of(
		[]string{dir + "/stuck/a", dir + "/stuck/b", dir + "/stuck/c/*", dir + "/link", dir + "/stuck", dir + "/other/file"},
		[]string{dir + "/other/file"}, []string{dir + "/*/x"}))
	before := numOpen(t)
	for i := range 5 {
		began := time.Now()
		objects, fds, _ := l.Resolve(t.Context())
		if took := time.Since(began); i > 0 && took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		unread := map[int32]int{}
		for i, o := range objects {
			if o.Kind == domainid.ObjectUnreadable && fds[i] == -1 {
				unread[o.Asset]++
			}
			if o.Kind == domainid.ObjectAbsent {
				t.Errorf("%s is absent", o.Path)
			}
		}
		if unread[0] < 5 || unread[1] != 0 || unread[2] != 1 {
			t.Errorf("%v of %v", unread, objects)
		}
	}
	l.Release()
	end()
	allClosed(t, before-1) // what hung returns, and closes what it opened
	if err := unix.Unmount(dir+"/stuck", unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	l = openLocal(t, "/", of([]string{dir + "/stuck/a"}))
	if got := resolved(t, l, dir); got != "0: 0 absent /stuck/a\n" {
		t.Errorf("behind it: %s", got)
	}
}
