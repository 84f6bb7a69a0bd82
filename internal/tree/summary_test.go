// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
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
		{1, 0, 2000, 0, "1 of 2001 processes is sandboxed (< 0.1 %), 0 partially, 0 unknown"},
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
	want := "1 of 2 workloads is sandboxed (50.0 %), 1 partially, 1 more unknown; 2 of 3 processes are sandboxed (66.6 %), 0 partially, 1 more unknown"
	if got := Summary(&s); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Of processes and workloads that are sandboxed, those that restrict nothing are named.
func TestIneffectiveAndOutside(t *testing.T) {
	h := hosts.New()
	h.Source.Rules = "read"
	d := h.Domain(0xa, domainid.Outermost)
	h.Domains[d].Handled = access.Rights{access.FS: 4}
	all, none, unread := h.View(d, 0xffff), h.View(d), domainid.NoView
	free := scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
	h.Process(1, 0, "idle", hosts.Seen(d, all)).Workload = 0
	h.Process(2, 0, "idle", hosts.Seen(d, all)).Workload = 0
	h.Process(3, 0, "idle", hosts.Seen(d, all)).Workload = 1
	h.Process(4, 0, "not", hosts.Seen(d, none)).Workload = 1
	h.Process(5, 0, "not-known", hosts.Seen(d, unread)).Workload = 2
	h.Worker(50, free, free)
	h.Worker(51, free, free)
	h.Workloads = []scan.Workload{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	want := "3 of 3 workloads are sandboxed (100.0 %), 1 of them ineffective, 0 partially, 0 unknown; " +
		"5 of 5 processes are sandboxed (100.0 %), 3 of them ineffective, 0 partially, 0 unknown"
	if got := Summary(&h.Snapshot); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, ineffective := scan.CountWorkloads(h.ByWorkload())
	if c := h.Count(); c.Ineffective != 3 || ineffective != 1 || c.OutsideWorkers != 1 {
		t.Errorf("%+v", c)
	}
	var w strings.Builder
	if err := Tree(&w, &h.Snapshot, Options{}); err != nil {
		t.Fatal(err)
	}
	wantTree := `PID  STATE        DEPTH  DOMAIN     COMMAND
1    ineffective  1      a       ┌  idle
2    ineffective  1      a       │  idle
3    ineffective  1      a       │  idle
4    sandboxed    1      a       │  not
5    sandboxed    1      a       └  not-known
                                      · 2 workers outside: 50, 51
3 workloads: 3 sandboxed (1 ineffective), 0 partial, 0 unsandboxed, 0 unknown
5 processes: 5 sandboxed (3 ineffective), 0 partial, 0 unsandboxed, 0 unknown; 1 domain; deepest 1
`
	if w.String() != wantTree {
		t.Errorf("got\n%s\nwant\n%s", w.String(), wantTree)
	}
}

func TestCountDepth(t *testing.T) {
	if c := hosts.Shells().Count(); c.MaxDepth != 3 || !c.DepthExact {
		t.Errorf("shells: deepest %d, exact %v", c.MaxDepth, c.DepthExact)
	}
	if c := hosts.Mixed().Count(); c.MaxDepth != 2 || c.DepthExact {
		t.Errorf("mixed: deepest %d, exact %v", c.MaxDepth, c.DepthExact)
	}
	h := hosts.New()
	h.Process(1, 0, "denied", hosts.Unknown(scan.Denied))
	if c := h.Count(); c.DepthExact {
		t.Error("a process that is unknown may be the deepest")
	}
}
