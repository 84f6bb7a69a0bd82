// SPDX-License-Identifier: Apache-2.0

// Package target looks at one process of a scan in /proc, with the caller's own
// rights, and at files as that process finds them.
package target

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// Process is a process that is looked at.
type Process struct {
	// Dir is its directory in /proc, or of a dead leader that of a live thread.
	*procdir.Dir
	// all is that of the process in any case.
	all *procdir.Dir
	// Root is the process's root directory (O_PATH).
	Root *os.File
}

// Open opens a process of a scan. Close it. The error of one that procfs does not have
// is procdir.ErrOther.
func Open(procfs string, p *scan.Process) (*Process, error) {
	clocks, err := scan.ReadClockOffsets()
	if err != nil {
		return nil, err
	}
	dir, err := procdir.Open(procfs, p.PID, p.Start, clocks)
	if err != nil {
		return nil, err
	}
	t := &Process{Dir: dir, all: dir}
	if err := t.openRoot(); err != nil {
		t.Close()
		return nil, fmt.Errorf("open the root directory of process %d: %w", p.PID, err)
	}
	return t, nil
}

// openRoot opens the root directory of the leader, or of a live thread of a dead
// one, which has none.
func (t *Process) openRoot() (err error) {
	if t.Root, err = openRootOf(t.all); !errors.Is(err, unix.ENOENT) {
		return err
	}
	for _, tid := range t.Threads() {
		dir, e := t.all.Thread(tid)
		if e != nil {
			continue
		}
		if t.Root, e = openRootOf(dir); e == nil {
			t.Dir = dir
			return nil
		}
		dir.Close()
	}
	return err
}

func openRootOf(d *procdir.Dir) (*os.File, error) {
	return d.File("root", unix.O_PATH|unix.O_DIRECTORY)
}

// Close releases the descriptors.
func (t *Process) Close() {
	t.all.Close()
	if t.Dir != t.all {
		t.Dir.Close()
	}
	if t.Root != nil {
		t.Root.Close()
	}
}

// Threads returns the numbers of the process's threads, of so many at most.
func (t *Process) Threads() []int32 {
	const maxThreads = 1 << 16
	names := t.all.Names("task", maxThreads)
	all := make([]int32, len(names))
	for i, name := range names {
		tid, _ := strconv.ParseInt(name, 10, 32)
		all[i] = int32(tid)
	}
	return all
}

// Thread opens the directory of one of the process's threads. Close it, too.
func (t *Process) Thread(tid int32) (*procdir.Dir, error) { return t.all.Thread(tid) }

// FileOf names the file that was looked at.
func FileOf(st *unix.Stat_t) explain.File {
	//nolint:unconvert // its width depends on the architecture
	return explain.File{Dev: uint64(st.Dev), Ino: st.Ino}
}

// Find opens a path as the process finds it (O_PATH): from its root directory,
// which nothing leads out of. No symbolic link is followed: it may lead into a filesystem
// that does not answer.
func (t *Process) Find(path string) (*os.File, error) {
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS,
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

// Sight is what identifies a directory: the mount and the file.
type Sight struct {
	Mount uint64
	File  explain.File
}

// See looks at a file below a directory. It does not ask filesystems that are served by
// programs.
func See(dir int, path string) (Sight, error) {
	var st unix.Statx_t
	const flags = unix.AT_EMPTY_PATH | unix.AT_STATX_DONT_SYNC | unix.AT_NO_AUTOMOUNT
	if err := unix.Statx(dir, path, flags, unix.STATX_INO|unix.STATX_MNT_ID, &st); err != nil {
		return Sight{}, err
	}
	dev := unix.Mkdev(st.Dev_major, st.Dev_minor)
	return Sight{st.Mnt_id, explain.File{Dev: dev, Ino: st.Ino}}, nil
}
