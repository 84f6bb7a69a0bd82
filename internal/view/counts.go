// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// ByState counts things by their state.
type ByState [4]int

// Of returns the number in a state.
func (c ByState) Of(s scan.State) int { return c[s] }

// Total returns the number in any state.
func (c ByState) Total() int { return c[0] + c[1] + c[2] + c[3] }

// Known returns the number whose state is known: the denominator of coverage.
func (c ByState) Known() int { return c.Total() - c.Of(scan.Unknown) }

// Counts are the numbers of one snapshot.
type Counts struct {
	// Processes and Threads are counted by state; no thread is Partial.
	Processes, Threads ByState
	// Workloads are counted by state and by Name; nil if the snapshot has none.
	Workloads *ByState
	// IneffectiveProcesses and IneffectiveWorkloads are the sandboxed ones that
	// restrict nothing, and OutsideWorkers the processes with a worker that may act
	// outside of their domains: those of which that is certain.
	IneffectiveProcesses, IneffectiveWorkloads, OutsideWorkers int
	// Reasons counts the unknown processes.
	Reasons map[scan.Reason]int
	Domains int
	// MaxDepth is the depth of the deepest task. It is a lower bound unless
	// DepthExact: lineage may be inferred, or some state unknown.
	MaxDepth   int
	DepthExact bool
}

// Count counts a snapshot.
func Count(s *scan.Snapshot) Counts {
	c := Counts{Reasons: map[scan.Reason]int{}, Domains: len(s.Domains), DepthExact: true}
	if workloads := s.ByWorkload(); workloads != nil {
		c.Workloads = &ByState{}
		for i := range workloads {
			c.Workloads[workloads[i].State()]++
			if workloads[i].Ineffective == access.Yes {
				c.IneffectiveWorkloads++
			}
		}
	}
	for i := range s.Processes {
		p := &s.Processes[i]
		c.Processes[p.State]++
		if p.State == scan.Unknown {
			c.Reasons[p.Reason]++
			c.DepthExact = false
		}
		if s.Ineffective(p) == access.Yes {
			c.IneffectiveProcesses++
		}
		if s.OutsideWorker(p) == access.Yes {
			c.OutsideWorkers++
		}
		c.MaxDepth = max(c.MaxDepth, int(p.MaxDepth))
	}
	for _, t := range s.Tasks {
		c.Threads[t.State]++
		switch {
		case t.State == scan.Unknown:
			c.DepthExact = false
		case t.State == scan.Sandboxed:
			c.MaxDepth = max(c.MaxDepth, 1)
			c.DepthExact = c.DepthExact && t.DepthExact
		}
	}
	return c
}

// Summary returns one line, without its end, such as
//
//	12 of 40 workloads are sandboxed (30.0 %), 1 partially, 0 unknown;
//	42 of 317 processes are sandboxed (13.2 %), 2 of them ineffective, 1 partially, 0 unknown
//
// Ineffective ones are named only if there are any.
//
// The percentages are the coverage; those in state Unknown stand beside it: they
// are not among the 40 and the 317. The first half is left out if the snapshot has
// no workloads.
func Summary(s *scan.Snapshot) string {
	c := Count(s)
	text := c.Processes.summary("process", c.IneffectiveProcesses)
	if c.Workloads != nil {
		text = c.Workloads.summary("workload", c.IneffectiveWorkloads) + "; " + text
	}
	return text
}

func (c ByState) summary(noun string, ineffective int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %s sandboxed", c.Of(scan.Sandboxed), plural.Are(c.Known(), noun))
	if share := percent(c.Of(scan.Sandboxed), c.Known()); share != "" {
		fmt.Fprintf(&b, " (%s %%)", share)
	}
	if ineffective > 0 {
		fmt.Fprintf(&b, ", %d of them ineffective", ineffective)
	}
	fmt.Fprintf(&b, ", %d partially, ", c.Of(scan.Partial))
	switch n := c.Of(scan.Unknown); n {
	case 0:
		b.WriteString("0 unknown")
	default:
		fmt.Fprintf(&b, "%d more unknown", n)
	}
	return b.String()
}

// percent rounds down to one digit, so that 100.0 means all; only none at all is 0.0.
// Empty if there is nothing to share.
func percent(part, whole int) string {
	if whole == 0 {
		return ""
	}
	tenths := part * 1000 / whole
	if tenths == 0 && part > 0 {
		return "< 0.1"
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
