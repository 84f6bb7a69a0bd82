// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/landlockd/landlockd/internal/policy"
)

// violatedRules is what rules find on a host where some are violated.
func violatedRules() Rules {
	r := Rules{
		Rules: []Rule{
			{Name: "kept", Severity: "info", Compliant: 7, Unknown: 1},
			{
				Name: "broken", Severity: "critical", Violated: true, Since: began,
				Compliant: 1, Violating: 6, Starting: 2,
				Violations: []Violation{
					{"unsandboxed", "a.service", 2},
					{"unsandboxed", "b\xfe\n\"", 1},
					{"unsandboxed", "b\xff\n\"", 2},
					{"partial", "a.service", 1},
				},
			},
			{
				Name: "absent", Severity: "warning", Violated: true,
				Violations: []Violation{{"too_few", "", 3}},
			},
			{
				Name: "accepted", Severity: "warning", Compliant: 3, Waived: 2,
				Accepts: true, AnyWaived: true, AcceptsUntil: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
			},
			{Name: "lapsed", Severity: "info", Compliant: 1, Accepts: true},
		},
		Undecided: map[string]int{},
	}
	for _, d := range policy.Doubts() {
		r.Undecided[d.String()] = 0
	}
	return r
}

func gatherRules(r Rules) prometheus.Gatherer {
	config := &Config{Loaded: 5, Applied: 2, Hash: 0xFEDCBA987654, Reloaded: true, Since: began}
	return gather(Scrape{Rules: &r, Config: config})
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
		v := Violation{"partial", fmt.Sprintf("w%02d", i), 1}
		r.Rules[1].Violations = append(r.Rules[1].Violations, v)
	}
	// The same label as one that is there already.
	r.Rules[1].Violations = append(r.Rules[1].Violations, Violation{"unsandboxed", "b\xc3\n\"", 4})
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
	docs := Docs()
	label := docs[slices.IndexFunc(docs, func(d Doc) bool {
		return d.Name == "landlock_rule_violations"
	})].Labels[1]
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
