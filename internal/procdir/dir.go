// SPDX-License-Identifier: Apache-2.0

// Package procdir reads what procfs has of a process, relative to the process's
// directory: that of a process that has ended stays empty, whoever gets its PID next.
// It holds the parsers of those files, too, for readers with means of their own.
package procdir

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// ErrOther is the error of a process that procfs does not have under its PID: it has
// ended, or procfs was mounted in another PID namespace than the scan's.
var ErrOther error = &scan.Error{
	Kind:    scan.ErrGone,
	Missing: "the PID is another process's by now, or procfs is that of another PID namespace",
}

var errTooLong = errors.New("too long")

// Dir is the directory of a process, or of one of its threads.
type Dir struct {
	PID int32
	dir *os.File
}

// Open opens the directory of a process that started at a time, in nanoseconds since
// the host's boot. Close it. An error is ErrOther, or says what could not be read.
func Open(procfs string, pid int32, start uint64, clocks scan.ClockOffsets) (*Dir, error) {
	path := procfs + "/" + strconv.Itoa(int(pid))
	f, err := OpenAt(unix.AT_FDCWD, path, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	d := &Dir{pid, f}
	const longest = 4096
	b, err := d.Read("stat", longest)
	var s Stat
	switch {
	case err != nil:
	case !ParseStat(b, &s):
		err = fmt.Errorf("stat of process %d: %.32q is not understood", pid, b)
	case s.Start != clocks.StatTicks(start)*uint64(scan.StatTick):
		err = ErrOther
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Thread opens the directory of one of the process's threads. Close it, too.
func (d *Dir) Thread(tid int32) (*Dir, error) {
	f, err := d.File("task/"+strconv.Itoa(int(tid)), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, fmt.Errorf("open thread %d of process %d: %w", tid, d.PID, err)
	}
	return &Dir{d.PID, f}, nil
}

// Close releases the directory.
func (d *Dir) Close() { d.dir.Close() }

// Read reads a file. One of more than limit bytes is an error.
func (d *Dir) Read(name string, limit int) ([]byte, error) {
	return readAt(int(d.dir.Fd()), name, limit, fmt.Sprintf("%s of process %d", name, d.PID))
}

// Names lists a directory, at most limit names. It is empty if that cannot be read.
func (d *Dir) Names(name string, limit int) []string {
	f, err := d.File(name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(limit) // what was read before an error is of use, too
	return names
}

// Link reads a symbolic link.
func (d *Dir) Link(name string) (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(d.dir.Fd()), name, b)
	if err != nil {
		return "", fmt.Errorf("read the link %s of process %d: %w", name, d.PID, err)
	}
	return string(b[:n]), nil
}

// File opens what a name leads to, such as "ns/mnt".
func (d *Dir) File(name string, flags int) (*os.File, error) {
	return OpenAt(int(d.dir.Fd()), name, flags)
}

// OpenAt opens a file of a directory. It waits for nothing.
func OpenAt(dir int, name string, flags int) (*os.File, error) {
	fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// ReadAt reads a file of a directory. One of more than limit bytes is an error.
func ReadAt(dir int, name string, limit int) ([]byte, error) {
	return readAt(dir, name, limit, name)
}

// readAt works without Go's poller, which procfs is not for. Its errors are about what.
func readAt(dir int, name string, limit int, what string) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", what, err)
	}
	defer unix.Close(fd)
	b := make([]byte, 0, min(limit+1, 4096))
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := unix.Read(fd, b[len(b):cap(b)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", what, err)
		case n == 0:
			return b, nil
		case len(b)+n > limit:
			return nil, fmt.Errorf("read %s: %w", what, errTooLong)
		default:
			b = b[:len(b)+n]
		}
	}
}
