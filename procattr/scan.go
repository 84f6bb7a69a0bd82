// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"context"
	"maps"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// ctxInterval is the number of processes between two looks at the context.
const ctxInterval = 64

// Scan reads every process once, and those that change meanwhile up to three
// times. An error is a *[scan.Error], or that of ctx.
func (s *Source) Scan(ctx context.Context) (*scan.Snapshot, error) {
	// The kernel lets no thread read itself, see reader.attribute.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	began := time.Now()
	s.scans++
	// Processes that are younger cannot be told apart from others with their PID.
	uptime, err := s.reader.clocks.Uptime()
	if err != nil {
		return nil, readFailed("the clock", err)
	}
	oldEnough := uint64(uptime) - 2*uint64(scan.StatTick)
	if err := s.listProcesses(); err != nil {
		return nil, readFailed("the list of processes", err)
	}
	s.build.begin()
	s.inference.Begin()
	for i, p := range s.pids {
		if i%ctxInterval == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := s.readProcess(p.id, oldEnough); err != nil {
			return nil, readFailed("the scan", err)
		}
	}
	// What is known of processes that went is dropped.
	maps.DeleteFunc(s.processes, func(_ int32, e *entry) bool { return e.scan != s.scans })
	s.inference.End()
	snap := s.build.snapshot(s.inference)
	snap.Kernel, snap.Source = s.kernel, s.info
	snap.Time, snap.Uptime, snap.Duration = began, uptime, time.Since(began)
	snap.Conclude()
	return snap, nil
}

// listProcesses fills s.pids, ascending.
func (s *Source) listProcesses() error {
	var err error
	errno := rewind(s.reader.proc)
	if errno == ok {
		s.pids, errno, err = s.reader.readEntries(s.reader.proc, s.pids[:0])
	}
	if errno != ok {
		return errno
	}
	sortEntries(s.pids)
	return err
}

// readProcess reads one process and adds it to what is built.
func (s *Source) readProcess(pid int32, oldEnough uint64) error {
	r := s.reader
	switch r.open(pid) {
	case gone:
		return nil
	case broken:
		return r.err
	case refused:
		s.unread(pid, scan.NoUser)
		return nil
	}
	defer r.close()
	// Before the other reads: they show that the process was there.
	uid, there := r.owner()
	if !there {
		return nil
	}
	e := s.processes[pid]
	if e == nil {
		// Kernel threads and zombies are met in every scan, and not kept.
		s.fresh = entry{}
		e = &s.fresh
	}
	f := s.settler.settle(r, pid, &e.facts)
	switch f.verdict {
	case failed:
		return r.err
	case outside:
		return nil
	case unread:
		s.unread(pid, uid)
		return nil
	}
	f = s.knowing(f)
	st := &s.settler.st
	if e.start != st.Start || e.scan == 0 {
		*e = entry{facts: e.facts, start: st.Start, mm: st.MM}
	}
	if e == &s.fresh {
		kept := s.fresh
		e = &kept
		s.processes[pid] = e
	}
	e.scan = s.scans
	var first thread
	for t := range s.settler.living {
		first = *t
		break
	}
	due := e.changed(s.scans, pid, uid, st, first.answer)
	if due {
		s.identify(st, first.tid, &e.identity)
	}
	s.readStatus(pid, uid, e, due)
	s.build.add(pid, uid, e, st, f, s.settler.threads)
	young := st.Start > oldEnough
	if s.lasting {
		s.inference.Process(pid, st.Start, s.build.ids, f.together && !young)
	}
	if young {
		e.facts = facts{threads: e.facts.threads[:0]}
	} else {
		e.facts.learn(f, &s.settler)
	}
	return nil
}

// unread adds a process that may not be looked at.
func (s *Source) unread(pid int32, uid uint32) {
	f := s.knowing(finding{verdict: unknown, reason: scan.Denied})
	s.build.add(pid, uid, &entry{}, &stat{}, f, nil)
	s.build.read++
}

// knowing returns what is found of a process by who knows whether there is Landlock:
// without, whatever a process does, it cannot be in a domain.
func (s *Source) knowing(f finding) finding {
	if f.verdict == unknown && s.kernel.Landlock != scan.Enabled {
		f.verdict, f.reason = unsandboxed, scan.NoReason
	}
	return f
}

// owner returns the effective user of the process that is open: the owner of
// its directory, which every user may look at and the kernel keeps up to date.
// It reports whether the directory is still shown.
func (r *reader) owner() (uint32, bool) {
	err := unix.Fstat(r.dir, &r.inode)
	if r.foreign {
		return scan.NoUser, err == nil
	}
	return r.inode.Uid, err == nil
}

// identify reads the identity of the process that is open: of its leader, or, if that
// has exited, of a thread that lives. The kernel gives no executable of a dead leader.
func (s *Source) identify(leader *stat, live int32, id *identity) {
	if !leader.Dead() {
		s.identifier.read(s.reader.dir, id)
		return
	}
	dir, errno := openAt(s.reader.task, s.reader.path.task(live, nothing), unix.O_PATH|unix.O_DIRECTORY)
	if errno != ok {
		return // it went too
	}
	s.identifier.read(dir, id)
	unix.Close(dir)
}

// living yields the threads that are tasks of the snapshot.
func (s *settler) living(yield func(*thread) bool) {
	for i := range s.threads {
		if t := &s.threads[i]; t.lives() && !yield(t) {
			return
		}
	}
}
