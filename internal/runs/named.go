// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/slots"
	"github.com/landlockd/landlockd/scan"
)

// named adds up the runs of workloads that were not sandboxed.
type named struct {
	limit int
	allow func(name string) bool // nil is all
	slots slots.Slots
	// live are the claims of the latest snapshot's workloads.
	live []slots.Claim
	// totals are by name: after fold, of those with a slot.
	totals map[string]*total
	other  *total // nil as long as it has none
}

// total is what ended of the workloads of one name.
type total struct {
	collector.WorkloadRuns
	naming scan.Naming
	// seen: a snapshot had it since it has a slot. live: the latest has.
	seen, live bool
}

func newNamed(limit int, allow func(string) bool) named {
	return named{limit: max(limit, 0), allow: allow, totals: map[string]*total{}}
}

// own reports whether a workload may be counted apart.
func (n *named) own(name string) bool {
	return name != collector.Other && (n.allow == nil || n.allow(name))
}

// add counts runs of a workload.
func (n *named) add(w *scan.Workload, state scan.State, count uint64) {
	one := total{naming: w.Naming()}
	switch {
	case w.Name == "":
		return
	case state == scan.Unsandboxed:
		one.Unsandboxed = count
	case state == scan.Partial:
		one.Partial = count
	default:
		return
	}
	if !n.own(w.Name) {
		n.toOther(&one)
		return
	}
	t := n.of(w.Name)
	t.add(&one)
	t.naming = max(t.naming, one.naming)
}

// of returns the total of a name.
func (n *named) of(name string) *total {
	t := n.totals[name]
	if t == nil {
		t = &total{}
		t.Name = name
		n.totals[name] = t
	}
	return t
}

func (t *total) add(o *total) {
	t.Unsandboxed += o.Unsandboxed
	t.Partial += o.Partial
}

func (n *named) toOther(t *total) {
	if n.other == nil {
		n.other = &total{WorkloadRuns: collector.WorkloadRuns{Name: collector.Other}}
	}
	n.other.add(t)
}

// see notes who runs.
func (n *named) see(s *scan.Snapshot, r *policy.Evaluation) {
	n.live = n.live[:0]
	for _, w := range s.ByWorkload() {
		if !n.own(w.Name) {
			continue
		}
		n.live = append(n.live, slots.Claim{
			Label: w.Name, Naming: w.Naming, Ruled: r.HasRule(w.Name),
			Sandboxed: w.Processes[scan.Sandboxed] > 0 || w.Processes[scan.Partial] > 0,
		})
	}
}

// fold adds the totals of names that have no slot, or have lost it, to that of the others, for
// good: so the sum is always that of all runs, and no total goes down.
func (n *named) fold(now time.Time) {
	for _, t := range n.totals {
		t.live = false
	}
	for _, c := range n.live {
		n.of(c.Label).live = true
	}
	claims := append(make([]slots.Claim, 0, len(n.totals)), n.live...)
	for name, t := range n.totals {
		switch none := t.Unsandboxed+t.Partial == 0; {
		case t.live:
		case none:
			delete(n.totals, name)
		default:
			claims = append(claims, slots.Claim{Label: name, Naming: t.naming, Gone: true, Ended: !t.seen})
		}
	}
	for _, c := range n.slots.Assign(now, n.limit, claims) {
		if t := n.totals[c.Label]; t.Unsandboxed+t.Partial > 0 {
			n.toOther(t)
		}
		delete(n.totals, c.Label)
	}
	for _, t := range n.totals {
		t.seen = t.seen || t.live
	}
}

// stats returns a copy.
func (n *named) stats() []collector.WorkloadRuns {
	all := make([]collector.WorkloadRuns, 0, len(n.totals)+1)
	for _, t := range n.totals {
		all = append(all, t.WorkloadRuns)
	}
	if n.other != nil {
		all = append(all, n.other.WorkloadRuns)
	}
	return all
}
