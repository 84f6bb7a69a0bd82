// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"math"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

const (
	free = 1 << scan.Unsandboxed
	some = 1 << scan.Partial
	full = 1 << scan.Sandboxed
)

func TestJudge(t *testing.T) {
	// Born at 10; the first thread restricts itself between 100 and 110, the
	// second between 200 and 210, and it then lives on.
	life := Life{PID: 5, BornFrom: 10, BornTo: 12, Phases: []Phase{
		{From: 10, To: 110, Can: free}, {From: 100, To: 210, Can: some}, {From: 200, To: math.MaxUint64, Can: full},
	}}
	reused := Life{PID: 5, BornFrom: 1, BornTo: 2, Phases: []Phase{{From: 1, To: math.MaxUint64, Can: free | some | full}}}
	lives := map[int32][]Life{5: {reused, life}}
	tests := []struct {
		name     string
		comm     string
		state    scan.State
		start    uint64
		from, to uint64
		isFalse  bool
	}{
		{"always, sandboxed", Always, scan.Sandboxed, 11, 1, 2, false},
		{"always, partial", Always, scan.Partial, 11, 1, 2, true},
		{"always, unsandboxed", Always, scan.Unsandboxed, 11, 1, 2, true},
		{"always, unknown", Always, scan.Unknown, 11, 1, 2, false},
		{"never, unsandboxed", Never, scan.Unsandboxed, 11, 1, 2, false},
		{"never, partial", Never, scan.Partial, 11, 1, 2, true},
		{"never, sandboxed", Never, scan.Sandboxed, 11, 1, 2, true},
		{"before any change", Mixed, scan.Unsandboxed, 11, 50, 60, false},
		{"before any change", Mixed, scan.Partial, 11, 50, 60, true},
		{"before any change", Mixed, scan.Sandboxed, 11, 50, 60, true},
		{"during the first change", Mixed, scan.Unsandboxed, 11, 104, 105, false},
		{"during the first change", Mixed, scan.Partial, 11, 104, 105, false},
		{"during the first change", Mixed, scan.Sandboxed, 11, 104, 105, true},
		{"steadily partial", Mixed, scan.Unsandboxed, 11, 120, 190, true},
		{"steadily partial", Mixed, scan.Partial, 11, 120, 190, false},
		{"steadily partial", Mixed, scan.Sandboxed, 11, 120, 190, true},
		{"steadily partial", Mixed, scan.Unknown, 11, 120, 190, false},
		{"across the second change", Mixed, scan.Unsandboxed, 11, 120, 300, true},
		{"across the second change", Mixed, scan.Partial, 11, 120, 300, false},
		{"across the second change", Mixed, scan.Sandboxed, 11, 120, 300, false},
		{"across all", Mixed, scan.Unsandboxed, 11, 50, 300, false},
		{"in the end", Mixed, scan.Unsandboxed, 11, 300, 400, true},
		{"in the end", Mixed, scan.Partial, 11, 300, 400, true},
		{"in the end", Mixed, scan.Sandboxed, 11, 300, 400, false},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.state.String(), func(t *testing.T) {
			p := scan.Process{PID: 5, Start: test.start, State: test.state}
			copy(p.Comm[:], test.comm)
			v := Judge(&scan.Snapshot{Processes: []scan.Process{p}}, test.from, test.to, lives)
			if got := len(v.False) > 0; got != test.isFalse {
				t.Errorf("false statements: %q, want one: %v", v.False, test.isFalse)
			}
			if v.Total() != 1 || v.Observed[test.comm][test.state] != 1 || v.Unmatched != 0 {
				t.Errorf("verdict %+v, want one observation", v)
			}
		})
	}
}

func TestJudgeCounts(t *testing.T) {
	snap := &scan.Snapshot{Processes: []scan.Process{
		{PID: 1, Comm: scan.Comm{'s', 'h'}, State: scan.Partial},
		{PID: 5, Start: 99, State: scan.Sandboxed},
		{PID: 6, State: scan.Unknown, Reason: scan.Changing},
	}}
	copy(snap.Processes[1].Comm[:], Mixed)
	copy(snap.Processes[2].Comm[:], Never)
	lives := map[int32][]Life{5: {{PID: 5, BornFrom: 10, BornTo: 12, Phases: []Phase{{From: 10, To: 20, Can: free}}}}}
	var sum Verdict
	for range 2 {
		sum.Add(Judge(snap, 15, 16, lives))
	}
	if sum.Scans != 2 || sum.Total() != 4 || sum.Unmatched != 2 || sum.Changing != 2 || len(sum.False) != 0 {
		t.Errorf("sum %+v, want 2 scans, 4 observations, 2 without a record, 2 changing", sum)
	}
}
