// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"errors"
	"math/bits"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
)

// supportedHere returns what this kernel supports.
func supportedHere(t *testing.T) (int, access.Rights) {
	t.Helper()
	abi, err := ABI()
	if err != nil {
		t.Fatalf("this test needs Landlock: %v", err)
	}
	rights := Rights()
	if !rights.Unknown().Empty() {
		t.Fatalf("unknown: %v", access.Names(rights.Unknown()))
	}
	return abi, rights.Sure
}

// onThread runs f on a thread that ends with it.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // and not unlocked: the thread ends
		defer close(done)
		f()
	}()
	<-done
}

// TestRights: what the kernel accepts is what its ABI is known to have.
func TestRights(t *testing.T) {
	abi, got := supportedHere(t)
	known := access.Supported(abi)
	if got.Union(known) != got {
		t.Errorf("ABI %d: the kernel accepts %+v, expected %+v", abi, got, known)
	}
	// The table has no right beyond the newest ABI that it knows.
	if access.Release(abi) != "" && got != known {
		t.Errorf("ABI %d: the kernel accepts %v beyond the table", abi, access.Names(got))
	}
	// All at once is accepted, one more of any kind is not.
	fd, err := CreateRuleset(got)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	for _, more := range []access.Rights{{access.FS: got[access.FS] + 1}, {access.Net: got[access.Net] + 1}, {access.Scope: got[access.Scope] + 1}} {
		if fd, err := CreateRuleset(more.Union(access.Rights{access.FS: 1})); err == nil {
			unix.Close(fd)
			t.Errorf("%+v was accepted", more)
		} else if !errors.Is(err, unix.EINVAL) {
			t.Errorf("%+v: %v", more, err)
		}
	}
}

// TestOnFiles: the table has exactly the rights that a rule on a file may grant.
func TestOnFiles(t *testing.T) {
	_, rights := supportedHere(t)
	fd, err := CreateRuleset(access.Rights{access.FS: rights[access.FS]})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)
	for bit := range bits.Len32(rights[access.FS]) {
		right := uint32(1) << bit
		err := AllowBeneath(fd, file, right)
		if want := access.OnFiles()[access.FS]&right != 0; (err == nil) != want {
			t.Errorf("right %#x on a file: %v, but the table says %v", right, err, want)
		}
	}
	if err := AllowBeneath(fd, file, 0); err == nil {
		t.Error("a rule that grants nothing was accepted")
	}
}

// TestRestrictThread: the calling thread is restricted, and no other.
func TestRestrictThread(t *testing.T) {
	supportedHere(t)
	list := func() error {
		fd, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	const readDir = 1 << 3
	var failed, inside error
	onThread(func() {
		fd, err := CreateRuleset(access.Rights{access.FS: readDir})
		if err != nil {
			failed = err
			return
		}
		defer unix.Close(fd)
		if failed = NoNewPrivs(); failed != nil {
			return
		}
		if failed = RestrictThread(fd); failed == nil {
			inside = list()
		}
	})
	if failed != nil {
		t.Fatal(failed)
	}
	if !errors.Is(inside, unix.EACCES) {
		t.Errorf("in the domain, list /: %v", inside)
	}
	for range 20 {
		onThread(func() {
			if err := list(); err != nil {
				t.Errorf("on another thread, list /: %v", err)
			}
			if v, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || v != 0 {
				t.Errorf("on another thread, no_new_privs: %d, %v", v, err)
			}
		})
	}
}

// TestNestingLimit: scan.Kernel.NestingLimit is what is found by trying.
func TestNestingLimit(t *testing.T) {
	abi, _ := supportedHere(t)
	want := 16
	if abi < 2 {
		want = 64
	}
	layers := 0
	var failed error
	onThread(func() {
		fd, err := CreateRuleset(access.Rights{access.FS: 1 << 11})
		if err != nil {
			failed = err
			return
		}
		defer unix.Close(fd)
		if failed = NoNewPrivs(); failed != nil {
			return
		}
		for failed == nil && layers < 100 {
			if failed = RestrictThread(fd); failed == nil {
				layers++
			}
		}
	})
	if !errors.Is(failed, unix.E2BIG) || layers != want {
		t.Errorf("%d layers, then %v; want %d, then E2BIG", layers, failed, want)
	}
}
