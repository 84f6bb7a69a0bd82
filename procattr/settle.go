// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// maxTries bounds how often a process that changes is read again. What still
// does not settle then is unknown, reason changing.
const maxTries = 3

// view is one process as /proc shows it. Whatever it returns is of that process: it is
// read relative to a directory that is held, and a directory whose process is gone
// stays empty, whoever gets the PID next.
type view interface {
	// stat reads the stat file of the process, in one instant.
	stat(*stat) outcome
	// list returns the threads that were met while the list was read. It may
	// end early, if the thread that was listed last is gone by then.
	list() ([]dirEntry, outcome)
	// attribute reads one thread's attribute; that of the process's own
	// directory, which is its leader's, for 0.
	attribute(tid int32) (answer, outcome)
	// thread reads the stat file of one thread.
	thread(tid int32, s *stat) outcome
}

// outcome is what became of a read.
type outcome uint8

const (
	found outcome = iota
	// gone: the task is no more.
	gone
	// refused: this process may not look at that one (hidepid).
	refused
	// broken: a failure that shows nothing of the task; the scan cannot go on.
	broken
)

// thread is what is known of one thread of the process that is being read.
type thread struct {
	tid   int32
	ino   uint64
	start uint64
	// known: start and worker have been read. They never change.
	known  bool
	worker bool
	// dead: it had exited before this try began.
	dead bool
	// exited: it had exited when it was last looked at.
	exited bool
	answer answer
	// status is what its status file held; hasStatus: it was read.
	status    status
	hasStatus bool
}

// counts reports whether a thread is evidence.
func (t *thread) counts() bool { return !t.worker && !t.dead }

// lives reports whether a thread is a task of the snapshot.
func (t *thread) lives() bool { return t.counts() && !t.exited }

// facts are what earlier scans found of a process, named by PID and start.
type facts struct {
	// start tells the process apart from an earlier one with the same PID: where it
	// differs, all else is forgotten.
	start uint64
	// several: it had more than one thread.
	several bool
	// allIn: all of its tasks were in a domain at once. Then they still are.
	allIn bool
	// base is the domain that all were in at once, or nested in.
	base domainid.ID
	// threads are those of the last scan, ascending by TID.
	threads []thread
}

// learn adds what a scan found, for the next one.
func (f *facts) learn(r finding, s *settler) {
	switch r.verdict {
	case sandboxed:
		f.allIn = true
	case unsandboxed, partial:
		f.allIn, f.base = false, domainid.None
	}
	if r.together {
		f.base = s.threads[s.tally().first].answer.id
	}
	f.several = len(s.threads) > 1
	f.threads = f.threads[:0]
	if f.several {
		f.threads = append(f.threads, s.threads...)
	}
}

// finding is what was found of one process.
type finding struct {
	verdict verdict
	// reason is why the state is unknown.
	reason scan.Reason
	// together: at one instant all tasks were in the one domain that the
	// threads' answers name, or in one nested in it.
	together bool
	tries    int
}

// verdict is what the reads of one process prove.
type verdict uint8

const (
	// unsettled: they do not add up to a statement.
	unsettled verdict = iota
	// outside: a kernel thread, a zombie, or a process that went.
	outside
	// unread: this process may not be looked at.
	unread
	// failed: the view is broken.
	failed
	unknown
	unsandboxed
	partial
	sandboxed
)

// settler reads processes, one after the other. Every verdict that it gives was
// true at some instant while it read, for three reasons.
//
// First, which threads there are. The stat file gives in one instant how many.
// A list does not, but what stands in one list and, as the same inode, in a
// later one was there at every instant between. So if as many threads stand in
// both as the stat file counted between them, then those were all of them.
//
// Second, a task in a domain stays in one, and a new thread is in the domain of
// the one that made it. So what was seen in a domain is in one at every later
// instant; and where a thread is seen outside, some thread was outside at every
// earlier one, for it or the one that made it was. Hence "none is in a domain"
// is proved by a count followed by reads, "all are" by reads followed by a
// count, and "some are" by a thread seen in a domain before another is seen
// outside. And a process that was once all in domains always is. There is one way out, from
// ABI 8 on (frees): a thread that is in no domain gives that to all threads of its process.
// Then "all are" is only said of threads that are in one domain, or each in the one that it
// was in at the try before: a domain that all have left does not come back. Where the kernel
// does not name domains, that is not excluded.
//
// Third, an execve(2) by another thread ends all threads but that one, and gives
// it the leader's TID and inode: what was seen of a TID may be another's. But
// then no other thread's entry is left. So two entries that stand in both lists
// exclude it, and a single thread needs more: the domain that it was in before
// it was counted must be the one that it is in behind. A domain is made once, so
// a thread that is in it then, or the one that made it, was in it when counted.
// Where the kernel does not name domains, the addresses that every execve(2)
// draws must be the same; that leaves open a process that draws none and
// executes within microseconds.
type settler struct {
	ids bool // the attribute names domains
	// frees: a thread can take others out of their domains.
	frees bool
	// What was read last; valid until the next call.
	st      stat
	threads []thread
	// before are the threads as known before the try, ascending by TID.
	before []thread
	first  []dirEntry
	// then is a second stat file: of the process again, or of a thread.
	then stat
}

// settle reads a process. The threads that it read are then in s.threads,
// ascending by TID, and what it read of the leader in s.st.
func (s *settler) settle(v view, pid int32, f *facts) finding {
	s.before = append(s.before[:0], f.threads...)
	several := f.several
	for try := 1; ; try++ {
		r := finding{}
		if !several {
			r, several = s.tryOne(v, pid, f)
		}
		if several && r.verdict == unsettled {
			r = s.trySeveral(v, pid, f)
			s.before = append(s.before[:0], s.threads...)
			for i := range s.before {
				s.before[i].dead = s.before[i].dead || s.before[i].exited
			}
		}
		r.tries = try
		if r.verdict == unsettled && try == maxTries {
			r.verdict, r.reason = unknown, scan.Changing
		}
		if r.verdict != unsettled {
			return r
		}
	}
}

// count reads the process's stat file. The finding is settled if there is
// nothing more to read.
func (s *settler) count(v view, f *facts) finding {
	o := v.stat(&s.st)
	if o != found {
		return finding{verdict: o.verdict()}
	}
	if s.st.Start != f.start {
		*f = facts{start: s.st.Start, threads: f.threads[:0]}
		s.before = s.before[:0]
	}
	switch {
	case s.st.Flags&pfKthread != 0, s.st.Threads == 0, s.st.Dead() && s.st.Threads == 1:
		return finding{verdict: outside}
	}
	return finding{}
}

func (o outcome) verdict() verdict {
	switch o {
	case gone:
		return outside
	case refused:
		return unread
	case broken:
		return failed
	default:
		return unsettled
	}
}

// tryOne is for a process with a single thread. It reports whether there are
// several.
func (s *settler) tryOne(v view, pid int32, f *facts) (r finding, several bool) {
	if r := s.count(v, f); r.verdict != unsettled {
		return r, false
	}
	if s.st.Threads != 1 {
		return finding{}, true
	}
	return s.readOne(v, pid, f), false
}

// readOne goes on behind a count of 1.
func (s *settler) readOne(v view, pid int32, f *facts) finding {
	a, o := v.attribute(0)
	if o != found {
		return finding{verdict: o.verdict()}
	}
	s.threads = append(s.threads[:0], thread{tid: pid, start: s.st.Start, known: true, answer: a})
	switch {
	case a.state == scan.Unknown:
		return finding{verdict: unknown, reason: a.reason}
	case a.state == scan.Unsandboxed:
		return finding{verdict: unsandboxed}
	case f.allIn && a.id == f.base:
		return finding{verdict: sandboxed, together: true}
	}
	then := &s.then
	if o := v.stat(then); o == broken {
		return finding{verdict: failed}
	} else if o == found && then.Threads == 1 && !then.Dead() {
		if !s.ids {
			if then.MM == s.st.MM {
				return finding{verdict: sandboxed, together: true}
			}
		} else if again, o := v.attribute(0); o == broken {
			return finding{verdict: failed}
		} else if o == found && again == a {
			return finding{verdict: sandboxed, together: true}
		}
	}
	if f.allIn {
		return finding{verdict: sandboxed}
	}
	return finding{}
}
