// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const ruleTests = "testdata/rules/*.yml"

func TestRuleFiles(t *testing.T) {
	for _, name := range []string{"rules.yml", "alerts.yml", "alerts-optional.yml"} {
		if out, ok := run(t, "promtool", "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(rendered, name)); !ok {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestScenarios runs what testdata/rules says.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, file := range glob(t, ruleTests) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			if out, ok := run(t, "promtool", "test", "rules", file); !ok {
				t.Error(out)
			}
		})
	}
}

// TestEveryAlertFiresAndDoesNot: each alert has a case for either.
func TestEveryAlertFiresAndDoesNot(t *testing.T) {
	fires, silent := map[string]int{}, map[string]int{}
	for _, file := range glob(t, ruleTests) {
		f := read[testFile](t, file)
		for _, test := range f.Tests {
			if test.Name == "" {
				t.Errorf("%s: a test without a name", file)
			}
			for _, a := range test.Alerts {
				if len(a.Expected) > 0 {
					fires[a.Alert]++
				} else {
					silent[a.Alert]++
				}
			}
		}
	}
	alerts := allAlerts(t)
	for name := range alerts {
		if fires[name] == 0 || silent[name] == 0 {
			t.Errorf("%s: %d cases in which it fires, %d in which it does not: want some of either", name, fires[name], silent[name])
		}
	}
	for name := range silent {
		if alerts[name].Alert == "" {
			t.Errorf("tests of %s, which is no alert", name)
		}
	}
}

// TestEveryRecordIsTested: each recorded name stands in a test or in an alert that is tested.
func TestEveryRecordIsTested(t *testing.T) {
	var text strings.Builder
	for _, file := range append(glob(t, ruleTests), filepath.Join(rendered, "alerts.yml")) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	f := read[ruleFile](t, filepath.Join(rendered, "rules.yml"))
	for _, r := range f.rules() {
		if !strings.Contains(text.String(), r.Record) {
			t.Errorf("nothing tests %s", r.Record)
		}
	}
}

// TestScenariosNotice breaks each alert in turn, so that it never fires, always
// fires, or fires at once, and wants its tests to fail each time.
func TestScenariosNotice(t *testing.T) {
	t.Parallel()
	breakages := map[string]func(*rule){
		"never":   func(r *rule) { r.Expr = "(" + r.Expr + ") unless on () vector(1)" },
		"always":  func(r *rule) { r.Expr, r.For = "vector(1)", "" },
		"at once": func(r *rule) { r.For = "" },
	}
	for name, alert := range allAlerts(t) {
		for what, breaks := range breakages {
			if what == "at once" && alert.For == "" {
				continue // as it is
			}
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				broken := alert
				breaks(&broken)
				if testsPass(t, broken) {
					t.Error("no test noticed")
				}
			})
		}
		// Else a test that cannot pass at all would look like one that notices.
		t.Run(name+" as it is", func(t *testing.T) {
			t.Parallel()
			if !testsPass(t, alert) {
				t.Error("the tests fail without any breakage")
			}
		})
	}
}

// testsPass runs all tests of one alert, with that alert alone and the recording
// rules that it reads.
func testsPass(t *testing.T, alert rule) bool {
	t.Helper()
	dir := t.TempDir()
	groups := append(recordsOf(t, alert), ruleGroup{Name: "one", Rules: []rule{alert}})
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.Name
	}
	write(t, filepath.Join(dir, "rules"), ruleFile{Groups: groups})
	for _, file := range glob(t, ruleTests) {
		f := read[testFile](t, file)
		f.RuleFiles, f.GroupEvalOrder = []string{"rules"}, names
		f.Tests = testsOf(f.Tests, alert.Alert)
		if len(f.Tests) == 0 {
			continue
		}
		path := filepath.Join(dir, filepath.Base(file))
		write(t, path, f)
		if _, ok := run(t, "promtool", "test", "rules", path); !ok {
			return false
		}
	}
	return true
}

// recordsOf returns the groups that record what an alert reads.
func recordsOf(t *testing.T, alert rule) (groups []ruleGroup) {
	f := read[ruleFile](t, filepath.Join(rendered, "rules.yml"))
	for _, g := range f.Groups {
		if slices.ContainsFunc(g.Rules, func(r rule) bool { return strings.Contains(alert.Expr, r.Record) }) {
			groups = append(groups, g)
		}
	}
	return groups
}

// testsOf returns what of some tests is about one alert.
func testsOf(tests []ruleTest, name string) (out []ruleTest) {
	for _, test := range tests {
		test.Exprs = nil
		test.Alerts = slices.DeleteFunc(test.Alerts, func(a alertTest) bool { return a.Alert != name })
		if len(test.Alerts) > 0 {
			out = append(out, test)
		}
	}
	return out
}
