// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

func TestRules(t *testing.T) {
	result := &policy.Evaluation{Loaded: 3, Rules: []policy.RuleEvaluation{{
		Rule: &policy.Rule{Name: "a", Severity: "critical"}, Violated: true,
		Processes: [policy.NumResults]int{
			policy.Compliant: 1, policy.Violating: 2, policy.Starting: 3, policy.Unknown: 4,
		},
		Violations: []policy.Violation{
			{Reason: policy.TooShallow, Workload: "w", Processes: 2, PIDs: []int32{7}},
		},
		Since: uint64(40 * time.Second),
	}}, Undecided: []policy.Undecided{{Doubt: policy.Doubts()[1], Processes: 5}}}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	got := rules(&scan.Snapshot{Time: now, Uptime: time.Minute}, result)
	want := []collector.Rule{{
		Name: "a", Severity: "critical", Violated: true,
		Compliant: 1, Violating: 2, Starting: 3, Unknown: 4, Since: now.Add(-20 * time.Second),
		Violations: []collector.Violation{{Reason: "too_shallow", Workload: "w", Processes: 2}},
	}}
	if !reflect.DeepEqual(got.Rules, want) {
		t.Errorf("%+v, want %+v", got.Rules, want)
	}
	for i, d := range policy.Doubts() {
		n, there := got.Undecided[d.String()]
		if !there || (n == 5) != (i == 1) {
			t.Errorf("%s: %d processes (there: %v)", d, n, there)
		}
	}
	if none := rules(&scan.Snapshot{}, &policy.Evaluation{}); none.Undecided != nil {
		t.Errorf("without rules there are %v", none.Undecided)
	}
}

// What this kernel has begins at 0; what nobody knows is there once it denied something.
func TestDenials(t *testing.T) {
	rights := access.Exactly(access.Supported(1))
	s := denials.Stats{
		Total: 9, TotalKnown: true, Fed: true, Lost: 5, ByWorkload: map[string]uint64{"w": 1},
		Blockers: denials.Supported(scan.Kernel{Landlock: scan.Enabled, ABI: 1, Rights: rights}),
	}
	s.ByBlocker[denials.RightBlocker(access.FS, 2)] = 9
	s.ByBlocker[denials.RightBlocker(access.FS, 31)] = 1
	s.ByBlocker[denials.Unknown] = 4
	want := map[string]uint64{"ptrace": 0, "fs.change_topology": 0, "fs.bit31": 1, "unknown": 4}
	for _, name := range access.Names(access.Supported(1)) {
		want[name] = 0
	}
	want["fs.read_file"] = 9
	got := denialStats(s)
	if !maps.Equal(got.ByBlocker, want) || got.ByWorkload["w"] != 1 || got.Lost != 5 ||
		got.Total != 9 || !got.TotalKnown {
		t.Errorf("%+v, want %v", got, want)
	}
	s.Fed = false
	if got := denialStats(s); got.ByBlocker != nil || got.Total != 9 {
		t.Errorf("denials that are not read one by one: %+v", got)
	}
	if (&Options{}).Scrape(nil, &policy.Evaluation{}, nil).Denials != nil {
		t.Error("denials without a monitor")
	}
}
