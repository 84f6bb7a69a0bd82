// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"cmp"
	"maps"
	"slices"

	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// marks are the processes that scans found violating a rule, with what they violated: that is
// so however they end.
type marks struct {
	of map[Process][]policy.Verdict
	// list is who is marked, ascending by PID.
	list []Process
	next []Process
	// found is what the last scan found, as long as nobody who is marked has ended.
	found *policy.Evaluation
}

func newMarks() marks { return marks{of: map[Process][]policy.Verdict{}} }

// update takes note of what a scan found, and reports whether others are to be marked.
func (m *marks) update(s *scan.Snapshot, r *policy.Evaluation) bool {
	if r == m.found {
		return false // of a scan that came to the same
	}
	m.found = r
	maps.DeleteFunc(m.of, func(p Process, _ []policy.Verdict) bool {
		now := s.Find(p.PID)
		return now == nil || now.Start != p.Start
	})
	for i := range r.Violators {
		v := &r.Violators[i]
		p := Process{v.PID, v.Start}
		if before, known := m.of[p]; known || len(m.of) < MaxMarked {
			m.of[p] = both(before, v.Verdicts)
		}
	}
	m.next = m.next[:0]
	for p := range m.of {
		m.next = append(m.next, p)
	}
	order.By(m.next, func(a, b Process) int {
		return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.Start, b.Start))
	})
	if slices.Equal(m.next, m.list) {
		return false
	}
	m.list, m.next = m.next, m.list
	return true
}

// both returns verdicts and more of other rules. It changes neither.
func both(verdicts, more []policy.Verdict) []policy.Verdict {
	switch {
	case len(verdicts) == 0:
		return more
	case slices.EqualFunc(verdicts, more, policy.Verdict.OfSameRule): // as at most scans
		return verdicts
	}
	own := len(verdicts)
	for _, v := range more {
		if !slices.ContainsFunc(verdicts[:own], v.OfSameRule) {
			verdicts = append(slices.Clip(verdicts), v)
		}
	}
	return verdicts
}

// judge returns what rules find of a cell's stretch, by what they find of its end and by what
// scans found of its process.
func (m *marks) judge(c *Cell, atEnd []policy.Verdict) []policy.Verdict {
	p := Process{c.PID, c.Start}
	before, marked := m.of[p]
	if !marked {
		return atEnd
	}
	// What it executed is found out by the next scan.
	delete(m.of, p)
	m.found = nil
	return both(before, slices.DeleteFunc(atEnd, func(v policy.Verdict) bool {
		return slices.ContainsFunc(before, v.OfSameRule)
	}))
}
