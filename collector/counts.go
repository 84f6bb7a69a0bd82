// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// maxDepth is the deepest depth with a series of its own: the kernel's limit
// since Linux 5.19. All deeper ones share one.
const maxDepth = 16

// counts is what one walk over a snapshot adds up.
type counts struct {
	processes [4]int            // by scan.State
	threads   [4]int            // by scan.State
	unknown   [8]int            // unknown processes by scan.Reason
	byDepth   [maxDepth + 2]int // known processes; the last is for all deeper ones
	layers    int
	deepest   int
	// ineffective processes and those with an outside worker: known ones alone.
	ineffective, outside int
}

// count allocates nothing, whatever the host runs, if the snapshot is concluded.
func count(s *scan.Snapshot) (c counts) {
	for i := range s.Processes {
		p := &s.Processes[i]
		c.processes[p.State&3]++
		c.deepest = max(c.deepest, int(p.MaxDepth))
		if p.State == scan.Unknown {
			c.unknown[reasonOf(p)]++
			continue
		}
		depth := depthOf(p)
		c.byDepth[min(depth, maxDepth+1)]++
		c.layers += depth
		if s.Ineffective(p) == access.Yes {
			c.ineffective++
		}
		if s.OutsideWorker(p) == access.Yes {
			c.outside++
		}
	}
	for i := range s.Tasks {
		c.threads[s.Tasks[i].State&3]++
	}
	return c
}

// depthOf returns the depth of a process's shallowest task: 0 for a partial
// one, because one of its tasks is in no domain, and at least 1 for a sandboxed
// one, because all are in one.
func depthOf(p *scan.Process) int {
	if p.State != scan.Sandboxed {
		return 0
	}
	return max(int(p.Depth), 1)
}

// reasonOf returns why a process is unknown. One without a reason is counted as
// malformed, so that the reasons always add up to the unknown processes.
func reasonOf(p *scan.Process) scan.Reason {
	switch p.Reason {
	case scan.Denied, scan.Hidden, scan.Changing:
		return p.Reason
	default:
		return scan.Malformed
	}
}

// coverage returns sandboxed / (sandboxed + partial + unsandboxed), and false
// if that would divide by 0.
func (c *counts) coverage() (float64, bool) {
	known := c.processes[scan.Sandboxed] + c.processes[scan.Partial] + c.processes[scan.Unsandboxed]
	if known == 0 {
		return 0, false
	}
	return float64(c.processes[scan.Sandboxed]) / float64(known), true
}
