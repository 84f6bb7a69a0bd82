// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"cmp"
	"io"
	"slices"

	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
)

// Processes returns the places of the processes that a filter keeps, by PID.
func Processes(s *scan.Snapshot, f *Filter) []int32 {
	fits := f.Of(s)
	var kept []int32
	for i := range s.Processes {
		if fits(&s.Processes[i]) {
			kept = append(kept, int32(i))
		}
	}
	return kept
}

// Sorts are the orders of [Sort].
func Sorts() []string { return []string{"pid", "state", "depth", "age", "workload", "command"} }

// Sort puts processes, which are sorted by PID, into an order: the least sandboxed, the
// shallowest, the oldest first, or by name.
func Sort(s *scan.Snapshot, processes []int32, by string) {
	rank := [4]int{scan.Partial: 0, scan.Unsandboxed: 1, scan.Unknown: 2, scan.Sandboxed: 3}
	name := func(p *scan.Process) string {
		if w := s.WorkloadOf(p); w != nil {
			return w.Name
		}
		return ""
	}
	slices.SortStableFunc(processes, func(i, j int32) int {
		a, b := &s.Processes[i], &s.Processes[j]
		switch by {
		case "state":
			return cmp.Or(cmp.Compare(rank[a.State&3], rank[b.State&3]),
				cmp.Compare(s.Ineffective(b), s.Ineffective(a)))
		case "depth":
			return cmp.Compare(a.Depth, b.Depth)
		case "age":
			return cmp.Compare(a.Start, b.Start)
		case "workload":
			return cmp.Compare(name(a), name(b))
		case "command":
			return cmp.Compare(a.Comm.String(), b.Comm.String())
		default:
			return 0
		}
	})
}

// List writes processes, in their order, one row each; wide adds more of each.
func List(w io.Writer, s *scan.Snapshot, processes []int32, style table.Style, wide bool) error {
	o := Options{Style: style}
	rowOf := Rows(s)
	t := table.Table{Style: style,
		Titles: []string{"PID", "STATE", "DEPTH", "DOMAIN", "RESTRICTS", "WORKLOAD", "COMMAND"}}
	if wide {
		t.Titles = slices.Insert(t.Titles, 1, "PPID", "UID", "THREADS")
	}
	for _, i := range processes {
		p, r := &s.Processes[i], rowOf(i)
		row := []table.Cell{table.Number(int(p.PID)), table.State(r.State), table.Text(r.Depth),
			table.Text(r.Domain), table.Text(r.Restricts), t.Name(r.Workload),
			{Fit: func(room int) string { return o.command(p, room) }}}
		if wide {
			row = slices.Insert(row, 1, table.Number(int(p.PPID)), table.Text(uidText(p)),
				table.Number(int(p.NumTasks)))
		}
		t.Row(row...)
	}
	return t.Write(w)
}
