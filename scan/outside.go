// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// OutsideWorker reports whether a sandboxed process has a worker that may act
// outside of its domains.
func (s *Snapshot) OutsideWorker(p *Process) access.Answer {
	if s.concluded {
		return p.outside
	}
	return s.concludeWorkers(p, func(*Worker, access.Answer) {})
}

// Outside reports whether a worker of a process may act outside of the process's
// domains: whether it may do what Landlock keeps every task of the process from.
func (s *Snapshot) Outside(p *Process, w *Worker) access.Answer {
	if s.concluded {
		return w.outside
	}
	h := s.homeOf(p)
	return h.outside(w)
}

// concludeWorkers reports whether a worker of a process may act outside, and hands
// over the answer for each.
func (s *Snapshot) concludeWorkers(p *Process, each func(*Worker, access.Answer)) access.Answer {
	if p.NumWorkers == 0 {
		return access.No
	}
	answer, h := access.No, s.homeOf(p)
	for i := range s.WorkersOf(p) {
		w := &s.WorkersOf(p)[i]
		outside := h.outside(w)
		each(w, outside)
		answer = answer.Or(outside)
	}
	return answer
}

// home is where the tasks of one process are.
type home struct {
	s     *Snapshot
	state State
	// domains are those that some task is in. Not all are known if vague.
	domains map[int32]bool
	vague   bool
}

func (s *Snapshot) homeOf(p *Process) home {
	h := home{s: s, state: p.State, domains: map[int32]bool{}}
	if p.State != Sandboxed {
		return h
	}
	for i := range s.TasksOf(p) {
		if d := s.TasksOf(p)[i].Domain; d >= 0 {
			h.domains[d] = true
		} else {
			h.vague = true
		}
	}
	return h
}

// outside reports whether a worker may act outside: of its credentials the freer
// ones count.
func (h *home) outside(w *Worker) access.Answer {
	switch h.state {
	case Sandboxed:
		return h.beyond(w.Real).Or(h.beyond(w.Acting))
	case Unknown:
		return access.Unknown
	default:
		return access.No // a free task may do what any worker may
	}
}

// beyond reports whether credentials in a place are in none of the domains that
// tasks are in, and in none that is nested in one of those.
func (h *home) beyond(at Place) access.Answer {
	switch {
	case at.State == Unsandboxed:
		return access.Yes
	case at.State != Sandboxed || at.Domain < 0:
		return access.Unknown
	}
	for d := range domainid.Chain(h.s.Domains, at.Domain) {
		if h.domains[d] {
			return access.No
		}
	}
	if h.vague || !domainid.Whole(h.s.Domains, at.Domain) {
		return access.Unknown
	}
	return access.Yes
}
