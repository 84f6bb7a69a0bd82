// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// trySeveral is for a process that has, or had, several threads.
func (s *settler) trySeveral(v view, pid int32, f *facts) finding {
	s.threads = s.threads[:0]
	entries, o := v.list()
	if o != found {
		return finding{verdict: o.verdict()}
	}
	s.first = append(s.first[:0], entries...)
	sortEntries(s.first)
	if r := s.count(v, f); r.verdict != unsettled {
		return r
	}
	if len(s.first) == 1 && s.st.Threads == 1 {
		return s.readOne(v, pid, f)
	}
	whole, o := s.readThreads(v, pid)
	if o != found {
		return finding{verdict: o.verdict()}
	}
	// A dead leader may be among those that were counted.
	whole = whole && len(s.first) == int(s.st.Threads)
	if live, o := s.someLive(v); o != found {
		return finding{verdict: o.verdict()}
	} else if !live {
		return s.settleOutside(v, f)
	}
	t := s.tally()
	switch {
	case t.in > 0 && t.out > 0:
		return s.settlePartial(v)
	case f.allIn && t.in > 0 && t.unknown == 0 && t.same && s.threads[t.first].answer.id == f.base:
		return finding{verdict: sandboxed, together: true}
	case f.allIn && t.in > 0 && t.unknown == 0:
		r := finding{}
		if whole && t.same {
			r = s.settleAllIn(v, f)
		}
		if r.verdict == unsettled {
			r = finding{verdict: sandboxed}
		}
		return r
	case !whole:
		return finding{}
	case t.unknown > 0:
		return finding{verdict: unknown, reason: t.reason}
	case t.out > 0:
		return s.settleAllOut(v)
	case t.in > 0:
		if s.frees && !t.same && !s.asBefore() {
			return finding{}
		}
		r := s.settleAllIn(v, f)
		r.together = r.together && t.same
		return r
	}
	return finding{}
}

// asBefore reports whether each thread answers as it did when it was read before.
func (s *settler) asBefore() bool {
	for i := range s.threads {
		t := &s.threads[i]
		same := func(b thread) bool { return b.tid == t.tid && b.ino == t.ino && b.answer == t.answer }
		if t.counts() && !slices.ContainsFunc(s.before, same) {
			return false
		}
	}
	return true
}

// readThreads reads the attribute of each thread that was listed. It reports
// whether all were still there; those that were not are left out.
func (s *settler) readThreads(v view, pid int32) (whole bool, o outcome) {
	whole = true
	before := s.before
	for _, e := range s.first {
		t := thread{tid: e.id, ino: e.ino}
		for len(before) > 0 && before[0].tid < e.id {
			before = before[1:]
		}
		if len(before) > 0 && before[0].tid == e.id && before[0].ino == e.ino {
			b := &before[0]
			t.start, t.known, t.worker, t.dead = b.start, b.known, b.worker, b.dead
			t.status, t.hasStatus = b.status, b.hasStatus
		}
		if t.tid == pid {
			// execve(2) may have put a live thread in a dead one's place.
			t.dead = s.st.Dead()
			t.start, t.known = s.st.Start, true
		}
		o := found
		if !t.known {
			o = s.look(v, &t)
		}
		if o == found && !t.dead {
			// A worker's answer is a fact of the process, and no evidence of its state.
			t.answer, o = v.attribute(t.tid)
		}
		switch o {
		case found:
			s.threads = append(s.threads, t)
		case gone:
			whole = false
		default:
			return false, o
		}
	}
	return whole, found
}

// look reads a thread's stat file.
func (s *settler) look(v view, t *thread) outcome {
	st := &s.then
	o := v.thread(t.tid, st)
	if o == found {
		t.start, t.known, t.worker = st.Start, true, st.Flags&(pfIOWorker|pfUserWorker) != 0
		t.exited = st.Dead()
	}
	return o
}

// tally is how many threads gave which answer.
type tally struct {
	in, out, unknown int
	reason           scan.Reason // of the first unknown one
	first            int         // the first that is in a domain
	same             bool        // all that are in a domain are in the same
}

func (s *settler) tally() tally {
	t := tally{same: true}
	for i := range s.threads {
		th := &s.threads[i]
		switch {
		case !th.counts():
		case th.answer.state == scan.Sandboxed:
			if t.in == 0 {
				t.first = i
			}
			t.same = t.same && th.answer == s.threads[t.first].answer
			t.in++
		case th.answer.state == scan.Unsandboxed:
			t.out++
		default:
			if t.unknown == 0 {
				t.reason = th.answer.reason
			}
			t.unknown++
		}
	}
	return t
}
