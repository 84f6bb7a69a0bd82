// SPDX-License-Identifier: Apache-2.0

// Package mydaemon shows a test of one's own daemon: that it is sandboxed as it is meant
// to be.
package mydaemon

import (
	"context"
	"io"
	"log"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/taskiter"
)

// assertSandboxed waits until a process is restricted in some rights, in all of its
// threads. It needs CAP_BPF and CAP_PERFMON.
func assertSandboxed(t *testing.T, pid int, rights ...string) {
	t.Helper()
	var want access.Rights
	for _, name := range rights {
		for _, right := range access.Match(name) {
			want = want.Union(right.Rights())
		}
	}
	source, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var lacks []string
	for range 100 {
		snap, err := source.Scan(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if p := snap.Find(int32(pid)); p != nil {
			sandbox, _ := snap.SandboxOf(p)
			if lacks = access.Names(want.Without(sandbox.Restricts.Sure)); len(lacks) == 0 {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d is not restricted in %v", pid, lacks)
}

func TestSandbox(t *testing.T) {
	if testing.Short() {
		t.Skip("needs CAP_BPF and CAP_PERFMON")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "MYDAEMON=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	assertSandboxed(t, cmd.Process.Pid, "fs.write_file", "fs.make_*")
}

// TestMain is the daemon of this example, too: it may write nowhere.
func TestMain(m *testing.M) {
	if os.Getenv("MYDAEMON") == "" {
		os.Exit(m.Run())
	}
	rights := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM}
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&rights)), unsafe.Sizeof(rights.Handled_access_fs), 0)
	if errno == 0 {
		_, _, errno = syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	}
	if errno == 0 {
		_, _, errno = syscall.AllThreadsSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0)
	}
	if errno != 0 {
		log.Fatal(errno)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
