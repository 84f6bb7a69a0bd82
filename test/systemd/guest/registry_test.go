// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/landlockd/landlockd/test/systemd/run"
)

func TestScenariosNameChecks(t *testing.T) {
	all := registry()
	used := map[string]bool{"kernel": true} // in every scenario
	seen := map[string]bool{}
	for _, s := range run.Scenarios() {
		if seen[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		seen[s.Name] = true
		for _, c := range s.Checks {
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
