// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/landlockd/landlockd/internal/policy"
)

// violatedRules is what rules find on a host where some are violated.
func violatedRules() *policy.Evaluation {
	rule := func(name, severity string) *policy.Rule { return &policy.Rule{Name: name, Severity: severity} }
	return &policy.Evaluation{
		Loaded: 5, Applied: 2,
		Rules: []policy.RuleEvaluation{
			{Rule: rule("kept", "info"), Applied: true, Processes: [4]int{policy.Compliant: 7, policy.Unknown: 1}},
			{Rule: rule("broken", "critical"), Applied: true, Processes: [4]int{policy.Compliant: 1, policy.Violating: 6, policy.Starting: 2}, Violated: true,
				Violations: []policy.Violation{
					{Reason: policy.Unsandboxed, Workload: "a.service", Processes: 2},
					{Reason: policy.Unsandboxed, Workload: "b\xfe\n\"", Processes: 1},
					{Reason: policy.Unsandboxed, Workload: "b\xff\n\"", Processes: 2},
					{Reason: policy.Partial, Workload: "a.service", Processes: 1},
				}},
			{Rule: rule("absent", "warning"), Violated: true, Violations: []policy.Violation{{Reason: policy.TooFew, Processes: 3}}},
		},
	}
}

func gatherRules(r *policy.Evaluation) prometheus.Gatherer {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(NewRules(r), NewConfig(ConfigState{Loaded: r.Loaded, Applied: r.Applied, Hash: 0xFEDCBA987654, Reloaded: true, Since: began}))
	return reg
}

func TestRules(t *testing.T) {
	g := gatherRules(violatedRules())
	text := render(t, g, expfmt.NewFormat(expfmt.TypeTextPlain))
	golden(t, filepath.Join("testdata", "rules.prom"), text)
	golden(t, filepath.Join("testdata", "rules.openmetrics"), render(t, g, expfmt.NewFormat(expfmt.TypeOpenMetrics)))
	if !utf8.Valid(text) {
		t.Error("not UTF-8")
	}
	problems, err := testutil.GatherAndLint(g)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v: %v", err, problems)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if testing.Short() {
			return
		}
		t.Fatal("promtool is not installed; -short leaves this out")
	}
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// A host has at most 20 series of violations, and they are the first ones.
func TestRuleViolationsAreBounded(t *testing.T) {
	r := violatedRules()
	for i := range 50 {
		v := policy.Violation{Reason: policy.Partial, Workload: fmt.Sprintf("w%02d", i), Processes: 1}
		r.Rules[1].Violations = append(r.Rules[1].Violations, v)
	}
	// The same label as one that is there already.
	r.Rules[1].Violations = append(r.Rules[1].Violations, policy.Violation{Reason: policy.Unsandboxed, Workload: "b\xc3\n\"", Processes: 4})
	text := string(render(t, gatherRules(r), expfmt.NewFormat(expfmt.TypeTextPlain)))
	if n := strings.Count(text, "\nlandlock_rule_violations{"); n != 20 {
		t.Errorf("%d series, want 20", n)
	}
	for _, want := range []string{`workload="w16"} 1`, `workload="b�\n\""} 7`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "w17") || strings.Contains(text, `reason="too_few"`) {
		t.Errorf("not the first ones:\n%s", text)
	}
}

// Every reason that a rule can give stands in the table.
func TestReasonsAreDocumented(t *testing.T) {
	label := Docs()[ruleViolations].Labels[1]
	r := policy.NoReason + 1
	for ; r.String() != ""; r++ {
		if !strings.Contains(label.Values, "`"+r.String()+"`") {
			t.Errorf("%s: %s is not among %s", label.Name, r, label.Values)
		}
	}
	if r < policy.TooFew {
		t.Errorf("only %d reasons have a name", r-1)
	}
}
