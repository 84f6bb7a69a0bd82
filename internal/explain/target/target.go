// SPDX-License-Identifier: Apache-2.0

// Package target looks at one process of a scan in /proc, with the caller's own
// rights, and at files as that process finds them.
package target

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// ErrOther is the error of a process that procfs does not have under its PID: it has
// ended, or procfs was mounted in another PID namespace than the scan's.
var ErrOther = errors.New("the PID is another process's by now, or procfs is that of another PID namespace")

// Process is a process that is looked at. What is read through it is of that
// process, whatever becomes of its PID.
type Process struct {
	PID int32
	// all is its directory in /proc, and dir that of what is looked at for it: the
	// same, or of a dead leader that of a live thread.
	all, dir *os.File
	// Root is the process's root directory (O_PATH).
	Root *os.File
}

// Open opens a process of a scan. Close it.
func Open(procfs string, p *scan.Process) (*Process, error) {
	dir, err := open(unix.AT_FDCWD, procfs+"/"+strconv.Itoa(int(p.PID)), unix.O_DIRECTORY|unix.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", p.PID, err)
	}
	t := &Process{PID: p.PID, all: dir, dir: dir}
	if err := t.verify(p.Start); err != nil {
		t.Close()
		return nil, err
	}
	if err := t.openRoot(); err != nil {
		t.Close()
		return nil, fmt.Errorf("open the root directory of process %d: %w", p.PID, err)
	}
	return t, nil
}

// openRoot opens the root directory of the leader, or of a live thread of a dead
// one, which has none.
func (t *Process) openRoot() (err error) {
	const flags, maxThreads = unix.O_PATH | unix.O_DIRECTORY, 1 << 16
	if t.Root, err = open(int(t.dir.Fd()), "root", flags); !errors.Is(err, unix.ENOENT) {
		return err
	}
	for _, tid := range t.Names("task", maxThreads) {
		dir, e := open(int(t.all.Fd()), "task/"+tid, unix.O_DIRECTORY|unix.O_RDONLY)
		if e != nil {
			continue
		}
		if t.Root, e = open(int(dir.Fd()), "root", flags); e == nil {
			t.dir = dir
			return nil
		}
		dir.Close()
	}
	return err
}

// Close releases the descriptors.
func (t *Process) Close() {
	t.all.Close()
	if t.dir != t.all {
		t.dir.Close()
	}
	if t.Root != nil {
		t.Root.Close()
	}
}

// verify compares the start time, in ticks of 10 ms of this process's clocks.
func (t *Process) verify(start uint64) error {
	const field = 20
	clocks, err := scan.ReadClockOffsets()
	if err != nil {
		return err
	}
	stat, err := t.Read("stat", 4096)
	if err != nil {
		return err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < field {
		return errors.New("/proc/[pid]/stat has too few fields")
	}
	if n, err := strconv.ParseUint(string(fields[field-1]), 10, 64); err != nil || n != clocks.StatTicks(start) {
		return ErrOther
	}
	return nil
}

// Read reads a file in the process's directory in /proc, at most limit bytes.
func (t *Process) Read(name string, limit int64) ([]byte, error) {
	return t.read(t.dir, name, limit)
}

func (t *Process) read(dir *os.File, name string, limit int64) ([]byte, error) {
	f, err := open(int(dir.Fd()), name, unix.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("open %s of process %d: %w", name, t.PID, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("read %s of process %d: %w", name, t.PID, err)
	}
	return b, nil
}

// Names lists a directory of the process's in /proc, at most limit names.
func (t *Process) Names(name string, limit int) []string {
	f, err := open(int(t.dir.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(limit) // what was read before an error is of use, too
	return names
}

// Link reads a symbolic link in the process's directory in /proc.
func (t *Process) Link(name string) (string, error) { return t.link(t.dir, name) }

func (t *Process) link(dir *os.File, name string) (string, error) {
	b := make([]byte, 4096)
	n, err := unix.Readlinkat(int(dir.Fd()), name, b)
	if err != nil {
		return "", fmt.Errorf("read the link %s of process %d: %w", name, t.PID, err)
	}
	return string(b[:n]), nil
}

// OpenFile opens what a name in the process's directory in /proc leads to, such
// as "ns/mnt".
func (t *Process) OpenFile(name string, flags int) (*os.File, error) {
	return open(int(t.dir.Fd()), name, flags)
}

// Find opens a path as the process finds it (O_PATH): from its root directory,
// which nothing leads out of. The last symbolic link is not followed.
func (t *Process) Find(path string) (*os.File, error) {
	return t.FindWith(path, unix.O_NOFOLLOW)
}

// FindWith is Find with other flags beside O_PATH.
func (t *Process) FindWith(path string, flags int) (*os.File, error) {
	how := unix.OpenHow{
		Flags:   uint64(unix.O_PATH | unix.O_CLOEXEC | flags),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	for {
		fd, err := unix.Openat2(int(t.Root.Fd()), path, &how)
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR, unix.EAGAIN: // a rename at the same time
		default:
			return nil, err
		}
	}
}

func open(dir int, name string, flags int) (*os.File, error) {
	fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
