// SPDX-License-Identifier: Apache-2.0

package roots

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/explain/target/targettest"
)

// own is this process as a scan has it.
func own(t *testing.T) *target.Process {
	t.Helper()
	p, err := target.Open("/proc", targettest.Self(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// thread starts a thread that stays with a root directory of its own, after it has
// changed what it shares with others.
func thread(t *testing.T, dir string, flags int, change func() error) int32 {
	t.Helper()
	type answer struct {
		tid int
		err error
	}
	said, stop := make(chan answer), make(chan struct{})
	t.Cleanup(func() { close(stop) })
	var one func()
	one = func() {
		runtime.LockOSThread() // for good: it ends with this function
		if unix.Gettid() == unix.Getpid() {
			go one() // the leader stays as it is
			<-stop
			runtime.UnlockOSThread()
			return
		}
		err := unix.Unshare(flags)
		if err == nil && change != nil {
			err = change()
		}
		if err == nil {
			err = unix.Chroot(dir)
		}
		said <- answer{unix.Gettid(), err}
		<-stop
	}
	go one()
	a := <-said
	if a.err != nil {
		t.Fatal(a.err)
	}
	return int32(a.tid)
}

// TestLook: the root directories of threads are told apart, each with the threads
// that have it, and that of the process stands first.
func TestLook(t *testing.T) {
	if os.Geteuid() != 0 {
		if testing.Short() {
			t.Skip("needs root; skipped because of -short")
		}
		t.Fatal("needs root: run the tests as root, or with -short to leave this one out")
	}
	dir := t.TempDir()
	jail := filepath.Join(dir, "j\x1b")
	for _, d := range []string{jail, filepath.Join(dir, "b")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	leader := int32(os.Getpid())
	a := thread(t, jail, unix.CLONE_FS, nil)
	b := thread(t, jail, unix.CLONE_FS, nil)
	mounts := thread(t, "/", unix.CLONE_NEWNS, nil)
	bound := filepath.Join(dir, "b")
	bind := thread(t, bound, unix.CLONE_NEWNS, func() error {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		return unix.Mount(jail, bound, "", unix.MS_BIND, "")
	})
	const gone = 1 << 30
	found, err := Look(own(t), []int32{a, mounts, leader, b, gone, bind})
	if err != nil {
		t.Fatal(err)
	}
	by := map[int32]explain.Root{}
	for _, r := range found.All {
		for _, tid := range r.TIDs {
			by[tid] = r
		}
	}
	if len(found.All) != 4 || found.All[0].TIDs[0] != leader || len(by) != 5 {
		t.Errorf("%+v", found.All)
	}
	if r := by[leader]; r.Own || r.OtherMounts || r.Path != "/" {
		t.Errorf("the leader: %+v", r)
	}
	if r := by[a]; !r.Own || r.OtherMounts || string(r.Path) != jail ||
		!slices.Equal(r.TIDs, []int32{a, b}) || r.Mounted != nil {
		t.Errorf("chroot: %+v", r)
	}
	if r := by[mounts]; r.Own || !r.OtherMounts {
		t.Errorf("a mount namespace: %+v", r)
	}
	if r := by[bind]; !r.Own || !r.OtherMounts || string(r.Path) != bound || r.Mounted == nil ||
		!strings.HasSuffix(string(r.Mounted.Path), "/j\x1b") || r.Mounted.Type == "" ||
		r.Mounted.Dev == "" {
		t.Errorf("a bind mount: %+v", r)
	}
	if _, err := Look(own(t), []int32{gone}); err == nil {
		t.Error("no thread is there, and no error")
	}
}
