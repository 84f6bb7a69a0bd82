// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/test/systemd"
)

func TestScenariosNameChecks(t *testing.T) {
	all := registry()
	used := map[string]bool{"kernel": true} // in every scenario
	seen := map[string]bool{}
	for _, s := range systemd.Scenarios() {
		if seen[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		seen[s.Name] = true
		for _, c := range s.Checks {
			c, _, _ = strings.Cut(c, ":")
			used[c] = true
			if all[c] == nil {
				t.Errorf("%s: no check is named %q", s.Name, c)
			}
		}
	}
	for name := range all {
		if !used[name] {
			t.Errorf("no scenario runs the check %q", name)
		}
	}
}

// What the test expects must agree with itself: it is written by hand.
func TestRulesAndWorkloads(t *testing.T) {
	units := 0
	for name, c := range workloads {
		if c == (counts{}) {
			t.Errorf("%s has no processes", name)
		}
		units += c.sandboxed + c.partial + c.unsandboxed
	}
	started := 0
	for _, e := range running {
		started += e.n
	}
	// Beside what runs: four services of the system, the checks, and su.
	const others = 6
	if units != started+others {
		t.Errorf("%d processes are in workloads, %d are started", units, started+others)
	}
	for _, f := range forgeries {
		if f.workload == "" || f.exe == "" || f.cgroup == "" {
			t.Errorf("%s: %+v", f.name, f)
		}
	}
}

// Likewise those of the scenario "units": a rule that is not in the tables would be
// expected to say nothing.
func TestUnitRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(unitRules+delegatedRules()), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := policy.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	rules := unitSays()
	if n := len(rules) + aboutNothing; len(config.Rules) != n {
		t.Errorf("%d rules, %d are expected", len(config.Rules), n)
	}
	violations := 0
	for _, r := range rules {
		if !slices.ContainsFunc(config.Rules, func(c policy.Rule) bool { return c.Name == r.rule }) {
			t.Errorf("there is no rule %s", r.rule)
		}
		if r.violated {
			violations++
		}
	}
	const most = 20 // that metrics have of a host
	if violations > most {
		t.Errorf("%d violations, of which metrics leave some out", violations)
	}
	seen := map[string]bool{}
	for _, s := range unitServices() {
		if seen[s.unit] || len(s.processes) == 0 {
			t.Errorf("%s: there twice, or without a process", s.unit)
		}
		seen[s.unit] = true
	}
}
