// SPDX-License-Identifier: Apache-2.0

package procdir

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// start returns when a process began.
func start(t *testing.T, pid int) uint64 {
	t.Helper()
	b, err := ReadAt(unix.AT_FDCWD, "/proc/"+strconv.Itoa(pid)+"/stat", 4096)
	var s Stat
	if err != nil || !ParseStat(b, &s) {
		t.Fatalf("%q: %v", b, err)
	}
	return s.Start
}

// A directory is of one process, also after that has ended.
func TestDir(t *testing.T) {
	cmd := exec.Command("/bin/sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	defer end()
	pid := int32(cmd.Process.Pid)
	began := start(t, cmd.Process.Pid)
	for _, other := range []uint64{began - uint64(scan.StatTick), began + uint64(scan.StatTick)} {
		_, err := Open("/proc", pid, other, scan.ClockOffsets{})
		if !errors.Is(err, ErrOther) || !errors.Is(err, scan.ErrGone) {
			t.Errorf("of another time: %v", err)
		}
	}
	d, err := Open("/proc", pid, began, scan.ClockOffsets{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	thread, err := d.Thread(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer thread.Close()
	own, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []*Dir{d, thread} {
		if link, err := of.Link("ns/mnt"); err != nil || link != own {
			t.Errorf("mount namespace %s, %v; want %s", link, err, own)
		}
		mounts, err := of.Mounts()
		if err != nil || !slices.ContainsFunc(mounts, func(m Mount) bool { return m.Point == "/" }) {
			t.Errorf("mounts %+v, %v", mounts, err)
		}
	}
	if names := d.Names("task", 9); !slices.Equal(names, []string{strconv.Itoa(int(pid))}) {
		t.Errorf("threads %q", names)
	}
	if _, err := d.Thread(1 << 30); err == nil {
		t.Error("a thread that is not there is opened")
	}
	if _, err := d.Read("stat", 3); !errors.Is(err, errTooLong) {
		t.Errorf("more than the limit: %v", err)
	}
	end()
	if b, err := d.Read("stat", 4096); err == nil {
		t.Errorf("of a process that ended: %q", b)
	}
	if _, err := Open("/proc", pid, began, scan.ClockOffsets{}); err == nil {
		t.Error("a process that ended is opened")
	}
}

func TestReadAtLimit(t *testing.T) {
	path := t.TempDir() + "/x"
	for _, size := range []int{0, 1, 4095, 4096, 4097, 20000} {
		if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := ReadAt(unix.AT_FDCWD, path, size); err != nil || len(b) != size {
			t.Errorf("%d bytes of %d: %v", len(b), size, err)
		}
		if size == 0 {
			continue
		}
		if b, err := ReadAt(unix.AT_FDCWD, path, size-1); !errors.Is(err, errTooLong) {
			t.Errorf("%d bytes, where %d are the limit: %v", len(b), size-1, err)
		}
	}
}
