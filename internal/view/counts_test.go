// SPDX-License-Identifier: Apache-2.0

package view

import (
	"testing"

	"github.com/landlockd/landlockd/scan"
)

func TestSummary(t *testing.T) {
	tests := []struct {
		sandboxed, partial, unsandboxed, unknown int
		want                                     string
	}{
		{42, 1, 274, 0, "42 of 317 processes are sandboxed (13.2 %), 1 partially, 0 unknown"},
		{42, 1, 274, 5, "42 of 317 processes are sandboxed (13.2 %), 1 partially, 5 more unknown"},
		{0, 0, 0, 0, "0 of 0 processes are sandboxed, 0 partially, 0 unknown"},
		{0, 0, 0, 3, "0 of 0 processes are sandboxed, 0 partially, 3 more unknown"},
		{1, 0, 0, 0, "1 of 1 process is sandboxed (100.0 %), 0 partially, 0 unknown"},
		{1999, 0, 1, 0, "1999 of 2000 processes are sandboxed (99.9 %), 0 partially, 0 unknown"},
		{1, 0, 2000, 0, "1 of 2001 processes are sandboxed (< 0.1 %), 0 partially, 0 unknown"},
		{0, 0, 10, 0, "0 of 10 processes are sandboxed (0.0 %), 0 partially, 0 unknown"},
	}
	for _, test := range tests {
		var s scan.Snapshot
		for state, n := range map[scan.State]int{
			scan.Sandboxed: test.sandboxed, scan.Partial: test.partial,
			scan.Unsandboxed: test.unsandboxed, scan.Unknown: test.unknown,
		} {
			for range n {
				s.Processes = append(s.Processes, scan.Process{State: state})
			}
		}
		if got := Summary(&s); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestSummaryOfWorkloads(t *testing.T) {
	s := scan.Snapshot{
		Workloads: []scan.Workload{{Name: "a"}, {Name: "b"}, {Name: "b"}, {Name: "c"}},
		Processes: []scan.Process{{State: scan.Sandboxed}, {State: scan.Sandboxed, Workload: 1}, {State: scan.Unsandboxed, Workload: 2}, {State: scan.Unknown, Workload: 3}},
	}
	want := "1 of 2 workloads are sandboxed (50.0 %), 1 partially, 1 more unknown; 2 of 3 processes are sandboxed (66.6 %), 0 partially, 1 more unknown"
	if got := Summary(&s); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCountDepth(t *testing.T) {
	if c := Count(&shells().Snapshot); c.MaxDepth != 3 || !c.DepthExact {
		t.Errorf("shells: deepest %d, exact %v", c.MaxDepth, c.DepthExact)
	}
	if c := Count(&mixed().Snapshot); c.MaxDepth != 2 || c.DepthExact {
		t.Errorf("mixed: deepest %d, exact %v", c.MaxDepth, c.DepthExact)
	}
	h := newHost()
	h.process(1, 0, "denied", untold(scan.Denied))
	if c := Count(&h.Snapshot); c.DepthExact {
		t.Error("a process that is unknown may be the deepest")
	}
}
