// SPDX-License-Identifier: Apache-2.0

package scan

import "github.com/landlockd/landlockd/access"

// ByState counts things by their state.
type ByState [4]int

// Of returns the number in a state.
func (n ByState) Of(s State) int { return n[s&3] }

// Total returns the number in any state.
func (n ByState) Total() int { return n[0] + n[1] + n[2] + n[3] }

// Known returns the number whose state is known: the denominator of coverage.
func (n ByState) Known() int { return n.Total() - n[Unknown] }

// Coverage returns what share of those whose state is known is sandboxed, 0 to 1; false
// if there are none.
func (n ByState) Coverage() (float64, bool) {
	if n.Known() == 0 {
		return 0, false
	}
	return float64(n[Sandboxed]) / float64(n.Known()), true
}

// State returns what a whole is, of which these are the parts. It is Partial if a part
// is, or if some parts are sandboxed and some not, whatever else is unknown.
func (n ByState) State() State {
	switch {
	case n[Partial] > 0 || n[Sandboxed] > 0 && n[Unsandboxed] > 0:
		return Partial
	case n[Unknown] > 0:
		return Unknown
	case n[Sandboxed] > 0:
		return Sandboxed
	default:
		return Unsandboxed
	}
}

// DeepestCounted is the deepest depth that is counted by itself: the kernel's limit
// since Linux 5.19.
const DeepestCounted = 16

// Counts are the numbers of one snapshot's processes and threads.
type Counts struct {
	// Processes and Threads are counted by state; no thread is Partial.
	Processes, Threads ByState
	// Reasons are the unknown processes by Reason. One without a reason counts as
	// Malformed, so that they add up.
	Reasons [Malformed + 1]int
	// ByDepth are the known processes by the depth of their shallowest task: 0 for a
	// Partial one. The last is for all that are deeper than DeepestCounted.
	ByDepth [DeepestCounted + 2]int
	// Layers is the sum of those depths.
	Layers int
	// Ineffective are the processes that are restricted in nothing, and OutsideWorkers
	// those with a worker that may act outside of their domains, of which that is
	// certain.
	Ineffective, OutsideWorkers int
	// MaxDepth is the depth of the deepest task. It is a lower bound unless
	// DepthExact: lineage may be inferred, or some state unknown.
	MaxDepth   int
	DepthExact bool
}

// Count returns the counts. Of snapshots that are the same they are counted once.
func (s *Snapshot) Count() Counts { return CountOnce(s, countsKey, (*Snapshot).count) }

// count counts in one walk over the processes and one over the tasks. It allocates
// nothing if the snapshot is concluded.
func (s *Snapshot) count() Counts {
	c := Counts{DepthExact: true}
	for i := range s.Processes {
		p := &s.Processes[i]
		c.Processes[p.State&3]++
		c.MaxDepth = max(c.MaxDepth, int(p.MaxDepth))
		if p.State == Unknown {
			c.Reasons[p.unknownFor()]++
			c.DepthExact = false
			continue
		}
		depth := p.shallowest()
		c.ByDepth[min(depth, DeepestCounted+1)]++
		c.Layers += depth
		if s.Ineffective(p) == access.Yes {
			c.Ineffective++
		}
		if s.OutsideWorker(p) == access.Yes {
			c.OutsideWorkers++
		}
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		c.Threads[t.State&3]++
		switch t.State {
		case Unknown:
			c.DepthExact = false
		case Sandboxed:
			c.MaxDepth = max(c.MaxDepth, 1)
			c.DepthExact = c.DepthExact && t.DepthExact
		}
	}
	return c
}

// shallowest returns the depth of a process's shallowest task: at least 1 for a
// Sandboxed one, as each of its tasks is in a domain.
func (p *Process) shallowest() int {
	if p.State != Sandboxed {
		return 0
	}
	return max(int(p.Depth), 1)
}

func (p *Process) unknownFor() Reason {
	if p.Reason == NoReason || p.Reason > Malformed {
		return Malformed
	}
	return p.Reason
}

// CountWorkloads counts what [Snapshot.ByWorkload] returns, and how many of those are
// certain to be ineffective.
func CountWorkloads(all []WorkloadProcesses) (byState ByState, ineffective int) {
	for i := range all {
		byState[all[i].State()]++
		if all[i].Ineffective == access.Yes {
			ineffective++
		}
	}
	return byState, ineffective
}
