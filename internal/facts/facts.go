// SPDX-License-Identifier: Apache-2.0

// Package facts adds up what the tasks of a process are, and which of its workers may act
// outside of its domains, for those who show processes.
package facts

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Facts is what the tasks of one process show together.
type Facts struct {
	// Domains are the distinct domains of its tasks, by the lowest TID in
	// each. Valid until the next call of Reader.Read.
	Domains []int32
	// Domain is the one that every task is in, or domainid.Outermost.
	Domain int32
	// Lineage is the least certain one of its domains; without meaning
	// unless sandboxed.
	Lineage domainid.Lineage
	// View is the one that every task has, or domainid.NoView.
	View int32
	// Scene is the one that every task has, or domainid.NoScene.
	Scene int32
	// Exact reports whether Depth and MaxDepth are exact, not lower bounds.
	Exact bool
	// Sandboxed reports whether at least one task is in a domain.
	Sandboxed bool
	// Differ reports whether its tasks are in different states or domains, and Listed
	// whether more is to be written of them than of the process.
	Differ, Listed bool
	// Depth and MaxDepth are those of the process, but at least 1 for a task
	// in a domain of unknown depth. Without meaning if the state is Unknown.
	Depth, MaxDepth uint16
}

// Reader finds the facts of one process after the other with the same memory.
type Reader struct {
	s *scan.Snapshot
	// seen[d] is the number of the last reading that found a process in d.
	seen    []int32
	reading int32
	domains []int32
}

// NewReader starts with none of a snapshot's processes.
func NewReader(s *scan.Snapshot) *Reader {
	return &Reader{s: s, seen: make([]int32, len(s.Domains))}
}

// Read returns the facts of the process with index i.
func (r *Reader) Read(i int32) Facts {
	p := &r.s.Processes[i]
	tasks := r.s.TasksOf(p)
	r.domains = r.domains[:0]
	r.reading++
	f := Facts{Domain: domainid.Outermost, View: domainid.NoView, Lineage: domainid.LineageKnown,
		Exact: p.State != scan.Unknown}
	named, oneView, oneScene := 0, true, true
	for _, t := range tasks {
		oneView = oneView && t.View == tasks[0].View
		oneScene = oneScene && t.Scene == tasks[0].Scene
		f.Differ = f.Differ || !inOnePlace(t, tasks[0])
		f.Listed = f.Listed || !follows(t, p, tasks[0])
		d := r.s.DomainOf(t)
		switch {
		case t.State == scan.Unsandboxed:
			continue
		case t.State == scan.Unknown:
			f.Exact = false
			continue
		}
		f.Sandboxed = true
		f.Exact = f.Exact && t.DepthExact
		if d < 0 {
			f.Lineage = domainid.LineageUnknown
			continue
		}
		named++
		f.Lineage = min(f.Lineage, r.s.Domains[d].Lineage)
		if r.seen[d] != r.reading {
			r.seen[d] = r.reading
			r.domains = append(r.domains, d)
		}
	}
	f.Domains = r.domains
	if p.State == scan.Sandboxed && len(f.Domains) == 1 && named == len(tasks) {
		f.Domain = f.Domains[0]
		if oneView {
			f.View = tasks[0].View
		}
		if oneScene {
			f.Scene = tasks[0].Scene
		}
	}
	f.Depth, f.MaxDepth = p.Depth, p.MaxDepth
	switch p.State {
	case scan.Sandboxed:
		f.Depth = max(1, f.Depth)
		f.MaxDepth = max(f.Depth, f.MaxDepth)
	case scan.Partial:
		f.MaxDepth = max(1, f.MaxDepth)
	}
	return f
}

// inOnePlace reports whether two tasks are in the same state for the same reason
// and in the same domain.
func inOnePlace(a, b scan.Task) bool {
	return a.State == b.State && a.Reason == b.Reason && a.Domain == b.Domain
}

// follows reports whether all that JSON has of a task follows from what it has of
// its process, whose first task is another: all of its tasks are alike, and what was
// read of them adds up to what the process is.
func follows(t scan.Task, p *scan.Process, first scan.Task) bool {
	return inOnePlace(t, first) && t.View == first.View && t.Scene == first.Scene &&
		t.UID == p.UID && t.Hardening == first.Hardening &&
		(t.State != scan.Sandboxed || t.Depth == first.Depth && t.DepthExact == first.DepthExact) &&
		t.State == p.State && t.Reason == p.Reason && t.Hardening&scan.SeccompStrict == 0
}

// OutsideWorkers returns those workers of a process that may act outside of its domains,
// and those that perhaps may.
func OutsideWorkers(s *scan.Snapshot, p *scan.Process) (outside, perhaps []int32) {
	for i := range s.WorkersOf(p) {
		w := &s.WorkersOf(p)[i]
		switch s.Outside(p, w) {
		case access.Yes:
			outside = append(outside, w.TID)
		case access.Unknown:
			perhaps = append(perhaps, w.TID)
		}
	}
	return outside, perhaps
}
