// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// reader is the view of one process after the other in a proc file system. All
// is read relative to descriptors that are held, with memory that is used again.
type reader struct {
	proc    int // the mount's root
	dialect dialect
	own     int32 // PID of this process in that mount; 0 if it is not there
	clocks  scan.ClockOffsets
	// foreign: procfs shows users of another namespace than the initial one.
	foreign bool

	// Of the process that is being read.
	pid  int32
	dir  int // its directory (O_PATH)
	task int // its directory "task", or -1

	attr    taskFile // the attribute
	attrDir taskFile // the directory that it is in
	path    path
	buf     []byte
	dents   []byte
	entries []dirEntry
	inode   unix.Stat_t

	// err is why an outcome was broken.
	err error
}

// open begins with a process.
func (r *reader) open(pid int32) outcome {
	var errno unix.Errno
	r.pid = pid
	r.dir, errno = openAt(r.proc, r.path.task(pid, nothing), unix.O_PATH|unix.O_DIRECTORY)
	if errno != ok {
		return r.failed(errno, 0, "")
	}
	return found
}

// close ends with a process.
func (r *reader) close() {
	if r.task >= 0 {
		unix.Close(r.task)
	}
	unix.Close(r.dir)
	r.task, r.dir = -1, -1
}

func (r *reader) stat(s *stat) outcome { return r.thread(0, s) }

func (r *reader) thread(tid int32, s *stat) outcome {
	dir, p := r.at(tid, &statFile)
	n, errno := readAt(dir, p, r.buf)
	if errno != ok {
		return r.failed(errno, tid, "stat")
	}
	if !procdir.ParseStat(r.buf[:n], s) {
		r.err = fmt.Errorf("stat of task %d of process %d: %.32q is not understood", tid, r.pid, r.buf[:n])
		return broken
	}
	// What the kernel added it took modulo 2^64.
	s.Start -= uint64(r.clocks.Boottime)
	return found
}

func (r *reader) list() ([]dirEntry, outcome) {
	var errno unix.Errno
	if r.task < 0 {
		r.task, errno = openAt(r.dir, taskDir, unix.O_RDONLY|unix.O_DIRECTORY)
	} else {
		errno = rewind(r.task)
	}
	if errno == ok {
		r.entries, errno, r.err = r.readEntries(r.task, r.entries[:0])
	}
	switch {
	case errno != ok:
		return nil, r.failed(errno, 0, "task")
	case r.err != nil:
		return nil, broken
	}
	return r.entries, found
}

// readEntries appends what is in a directory from where its descriptor stands to its end.
func (r *reader) readEntries(fd int, to []dirEntry) ([]dirEntry, unix.Errno, error) {
	const longestName = 280
	for {
		n, errno := getdents(fd, r.dents)
		if errno != ok || n == 0 {
			return to, errno, nil
		}
		var err error
		if to, err = numbers(r.dents[:n], to); err != nil {
			return to, ok, err
		}
		// With so much room left, the end was reached.
		if len(r.dents)-n > longestName && len(r.dents)-n > len(r.dents)/2 {
			return to, ok, nil
		}
	}
}

func (r *reader) attribute(tid int32) (answer, outcome) {
	if r.dialect.form == nil {
		return answerOut, found
	}
	a, o := r.readAttribute(tid)
	if a.reason == scan.Denied && r.pid == r.own {
		return r.readElsewhere(tid)
	}
	return a, o
}

// readElsewhere reads an attribute in another thread. A kernel lets no task read
// itself, and this process's threads are among those that are read. The
// goroutine of Scan is locked to its thread, so that another one is not in it.
func (r *reader) readElsewhere(tid int32) (a answer, o outcome) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a, o = r.readAttribute(tid)
	}()
	<-done
	return a, o
}

func (r *reader) readAttribute(tid int32) (answer, outcome) {
	dir, p := r.at(tid, &r.attr)
	n, errno := readAt(dir, p, r.buf[:128])
	switch {
	case errno == ok:
		return r.dialect.form.read(r.buf[:n]), found
	case isDenied(errno):
		return answer{reason: scan.Denied}, found
	case errno == unix.ENOENT:
		return r.absent(tid)
	case errno == unix.EINVAL, errno == unix.EOPNOTSUPP:
		// No security module answers, where one did at the start.
		return answerMalformed, found
	}
	return answer{}, r.failed(errno, tid, "attr/landlock")
}

// absent returns what it means that a thread has no such file.
func (r *reader) absent(tid int32) (answer, outcome) {
	dir, p := r.at(tid, &r.attrDir)
	switch {
	case !exists(dir, p):
		// The directory is there for every task, as long as the task is.
		return answer{}, gone
	case r.dialect.absentIsOut:
		return answerOut, found
	default:
		return answer{reason: scan.Hidden}, found
	}
}

// failed returns what an error number means where a task's own files are read.
func (r *reader) failed(errno unix.Errno, tid int32, what string) outcome {
	switch {
	case isGone(errno):
		return gone
	case isDenied(errno):
		return refused
	}
	r.err = fmt.Errorf("read %q of process %d, task %d: %w", what, r.pid, tid, errno)
	return broken
}
