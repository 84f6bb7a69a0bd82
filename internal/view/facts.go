// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// facts is what the tasks of one process show together.
type facts struct {
	// domains are the distinct domains of its tasks, by the lowest TID in
	// each. Valid until the next call of factsReader.read.
	domains []int32
	// domain is the one that every task is in, or domainid.Outermost.
	domain int32
	// lineage is the least certain one of its domains; without meaning
	// unless sandboxed.
	lineage domainid.Lineage
	// view is the one that every task has, or domainid.NoView.
	view int32
	// exact reports whether depth and max_depth are exact, not lower bounds.
	exact bool
	// sandboxed reports whether at least one task is in a domain.
	sandboxed bool
	// differ reports whether its tasks are in different states or domains, and listed
	// whether more is to be written of them than of the process.
	differ, listed bool
	// depth and maxDepth are those of the process, but at least 1 for a task
	// in a domain of unknown depth. Without meaning if the state is Unknown.
	depth, maxDepth int
}

// factsReader finds the facts of one process after the other with the same memory.
type factsReader struct {
	s *scan.Snapshot
	// seen[d] is 1 + the index of the last process that was found in d.
	seen    []int32
	domains []int32
}

func newFactsReader(s *scan.Snapshot) *factsReader {
	return &factsReader{s: s, seen: make([]int32, len(s.Domains))}
}

// read returns the facts of the process with index i.
func (r *factsReader) read(i int32) facts {
	p := &r.s.Processes[i]
	tasks := r.s.TasksOf(p)
	r.domains = r.domains[:0]
	f := facts{domain: domainid.Outermost, view: domainid.NoView, lineage: domainid.LineageKnown,
		exact: p.State != scan.Unknown}
	named, oneView := 0, true
	for _, t := range tasks {
		oneView = oneView && t.View == tasks[0].View
		f.differ = f.differ || !inOnePlace(t, tasks[0])
		f.listed = f.listed || !follows(t, p, tasks[0])
		d := domainOf(r.s, t)
		switch {
		case t.State == scan.Unsandboxed:
			continue
		case t.State == scan.Unknown:
			f.exact = false
			continue
		}
		f.sandboxed = true
		f.exact = f.exact && t.DepthExact
		if d < 0 {
			f.lineage = domainid.LineageUnknown
			continue
		}
		named++
		f.lineage = min(f.lineage, r.s.Domains[d].Lineage)
		if r.seen[d] != i+1 {
			r.seen[d] = i + 1
			r.domains = append(r.domains, d)
		}
	}
	f.domains = r.domains
	if p.State == scan.Sandboxed && len(f.domains) == 1 && named == len(tasks) {
		f.domain = f.domains[0]
		if oneView {
			f.view = tasks[0].View
		}
	}
	f.depth, f.maxDepth = int(p.Depth), int(p.MaxDepth)
	switch p.State {
	case scan.Sandboxed:
		f.depth = max(1, f.depth)
		f.maxDepth = max(f.depth, f.maxDepth)
	case scan.Partial:
		f.maxDepth = max(1, f.maxDepth)
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
	return inOnePlace(t, first) && t.View == first.View && t.UID == p.UID &&
		t.Hardening == first.Hardening &&
		(t.State != scan.Sandboxed || t.Depth == first.Depth && t.DepthExact == first.DepthExact) &&
		t.State == p.State && t.Reason == p.Reason && t.Hardening&scan.SeccompStrict == 0
}

// depthOf returns a domain's depth, which is at least 1 whatever the source reports.
func depthOf(d *domainid.Domain) int { return max(1, int(d.Depth)) }
