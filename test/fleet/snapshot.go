// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/access"
	"github.com/landlockd/landlockd/scan"
)

func sortUnits(units []Unit) {
	slices.SortFunc(units, func(a, b Unit) int { return cmp.Compare(a.Name, b.Name) })
}

// snapshot returns what a scan of the host at a time finds.
func (h *Host) snapshot(at time.Time) *scan.Snapshot {
	s := &scan.Snapshot{
		Time: at, Duration: 3 * time.Millisecond, Uptime: time.Hour,
		Kernel: scan.Kernel{Release: h.Release, Landlock: scan.Enabled, ABI: h.ABI},
		Source: scan.SourceInfo{Name: "taskiter", IDs: "kernel", Lineage: "known", Rules: "unread", Denials: "counters", PIDNS: "init"},
		Passes: 1,
	}
	if h.Kind == Disabled {
		s.Kernel.Landlock, s.Kernel.ABI = scan.Disabled, 0
	}
	for depth := range h.Depth {
		s.Domains = append(s.Domains, domainid.Domain{
			ID: domainid.ID(0x100000000 + uint64(depth)), Parent: int32(depth) - 1, Depth: depth + 1, Lineage: domainid.LineageKnown,
			Handled: access.Supported(h.ABI), Rules: domainid.RulesUnread,
		})
	}
	if h.Kind == Disabled {
		s.Domains = nil
	}
	for i, u := range h.Units {
		s.Workloads = append(s.Workloads, scan.Workload{Name: u.Name, FullName: u.Name, Kind: scan.Unit, Unit: u.Name})
		for state, n := range u.Processes {
			for range n {
				h.addProcess(s, int32(i), scan.State(state))
			}
		}
	}
	s.TasksRead = len(s.Tasks)
	return s
}

// addProcess appends a process of one task, or of two if it is partial.
func (h *Host) addProcess(s *scan.Snapshot, workload int32, state scan.State) {
	p := scan.Process{
		PID: int32(100 + len(s.Processes)), PPID: 1, State: state, Workload: workload,
		FirstTask: int32(len(s.Tasks)), NumTasks: 1,
	}
	in := scan.Task{TID: p.PID, State: scan.Sandboxed, Domain: int32(h.Depth) - 1}
	out := scan.Task{TID: p.PID, State: scan.Unsandboxed, Domain: domainid.Outermost}
	switch state {
	case scan.Sandboxed:
		p.Depth, p.MaxDepth, p.NoNewPrivs = h.Depth, h.Depth, true
		p.Restricted = access.Supported(h.ABI) // as handled: rules are unread
		s.Tasks = append(s.Tasks, in)
	case scan.Partial:
		p.NumTasks, p.MaxDepth = 2, h.Depth
		in.TID += 100_000
		s.Tasks = append(s.Tasks, out, in)
	case scan.Unknown:
		p.Reason = scan.Denied
		out.State, out.Reason = scan.Unknown, scan.Denied
		s.Tasks = append(s.Tasks, out)
	default:
		s.Tasks = append(s.Tasks, out)
	}
	s.Processes = append(s.Processes, p)
}
