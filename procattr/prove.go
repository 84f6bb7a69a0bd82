// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"cmp"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// settleAllOut proves that no thread was in a domain when they were counted.
func (s *settler) settleAllOut(v view) finding {
	if live, o := s.someLive(v); !live {
		return finding{verdict: o.verdict()}
	}
	return s.ifListedSame(v, finding{verdict: unsandboxed})
}

// settleAllIn proves that all threads were in a domain at a second count.
func (s *settler) settleAllIn(v view, f *facts) finding {
	if r := s.count(v, f); r.verdict != unsettled {
		return r
	}
	if int(s.st.Threads) != len(s.first) {
		return finding{}
	}
	if live, o := s.someLive(v); !live {
		return finding{verdict: o.verdict()}
	}
	return s.ifListedSame(v, finding{verdict: sandboxed, together: true})
}

// settleOutside proves that all threads had exited at a second count.
func (s *settler) settleOutside(v view, f *facts) finding {
	if r := s.count(v, f); r.verdict != unsettled {
		return r
	}
	if n := len(s.first); n < 2 || int(s.st.Threads) != n || len(s.threads) != n || !s.st.Dead() {
		return finding{}
	}
	return s.ifListedSame(v, finding{verdict: outside})
}

// someLive reports whether a thread that counts is alive. The leader is known from the
// process's own stat file; where it is dead, the others are looked at.
func (s *settler) someLive(v view) (bool, outcome) {
	if !s.st.Dead() {
		return true, found
	}
	for i := range s.threads {
		t := &s.threads[i]
		if !t.counts() {
			continue
		}
		if o := s.lookAgain(v, t); o != found || !t.exited {
			return o == found, o
		}
	}
	return false, found
}

// settlePartial proves that a live thread was seen in a domain before another
// live one was seen outside.
func (s *settler) settlePartial(v view) finding {
	in, out := -1, -1
	for i := range s.threads {
		t := &s.threads[i]
		if !t.counts() || t.answer.state == scan.Unknown {
			continue
		}
		if o := s.lookAgain(v, t); o != found {
			return finding{verdict: o.verdict()}
		}
		switch {
		case t.exited:
		case t.answer.state == scan.Sandboxed && in < 0:
			in = i
		case t.answer.state == scan.Unsandboxed && in >= 0 && out < 0:
			out = i
		}
	}
	if in < 0 {
		return finding{}
	}
	// Those that were seen outside before may still be.
	for i := 0; i < in && out < 0; i++ {
		t := &s.threads[i]
		if !t.counts() || t.exited || t.answer.state != scan.Unsandboxed {
			continue
		}
		a, o := v.attribute(t.tid)
		if o == found {
			t.answer = a
			o = s.look(v, t)
		}
		switch {
		case o == gone:
			t.exited = true
		case o != found:
			return finding{verdict: o.verdict()}
		case !t.exited && a.state == scan.Unsandboxed:
			out = i
		}
	}
	if out < 0 {
		return finding{}
	}
	entries, o := v.list()
	if o != found || !s.holds(entries, in) || !s.holds(entries, out) {
		return finding{verdict: o.verdict()}
	}
	return finding{verdict: partial}
}

// holds reports whether a list has the i-th thread.
func (s *settler) holds(entries []dirEntry, i int) bool {
	return slices.Contains(entries, dirEntry{s.threads[i].tid, s.threads[i].ino})
}

// ifListedSame returns what is found if a new list is equal to the first one.
func (s *settler) ifListedSame(v view, then finding) finding {
	entries, o := v.list()
	sortEntries(entries)
	if o != found || !slices.Equal(entries, s.first) {
		return finding{verdict: o.verdict()}
	}
	return then
}

// lookAgain reads the stat file of a thread that was there: one that is gone has exited.
func (s *settler) lookAgain(v view, t *thread) outcome {
	o := s.look(v, t)
	if o == gone {
		t.exited, o = true, found
	}
	return o
}

// sortEntries sorts by TID. The kernel lists threads in the order in which they
// were made, which nearly always is the same.
func sortEntries(entries []dirEntry) {
	byTID := func(a, b dirEntry) int { return cmp.Compare(a.id, b.id) }
	if !slices.IsSortedFunc(entries, byTID) {
		slices.SortFunc(entries, byTID)
	}
}
