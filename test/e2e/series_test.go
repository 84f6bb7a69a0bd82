// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestSeries counts what a scrape has, by what it grows with: docs/performance.md.
func TestSeries(t *testing.T) {
	testenv.NeedRoot(t)
	groups := []struct {
		what     string
		prefixes []string
		most     int // 0: as many as there are workloads and rules
	}{
		{"workloads and rules", []string{"landlock_workload_processes{", "landlock_workload_denials_total{", "landlock_workload_runs_total{", "landlock_rule_"}, 0},
		{"processes that ended", []string{"landlock_runs_", "landlock_launches_", "landlockd_run"}, 10},
		{"rights", []string{"landlock_processes_restricted{"}, 24},
		{"hardening", []string{"landlock_processes_hardened{"}, 12},
		{"denials", []string{"landlock_denials_", "landlockd_denials_"}, 28},
		{"the daemon's runtime", []string{"go_", "process_", "promhttp_"}, 30},
		{"always", []string{""}, 80},
	}
	m := startDaemon(t, daemonOptions{}).scrape(t)
	counts := make([]int, len(groups))
	for name := range m {
	find:
		for i, g := range groups {
			for _, prefix := range g.prefixes {
				if strings.HasPrefix(name, prefix) {
					counts[i]++
					break find
				}
			}
		}
	}
	if rest := counts[1] + counts[2] + counts[3] + counts[6]; rest > 110 || rest+counts[5] > 140 {
		t.Errorf("%d series beside those of workloads, rules and denials, and %d of the runtime: "+
			"want at most 110, and 140 together", rest, counts[5])
	}
	for i, g := range groups {
		t.Logf("%s: %d series", g.what, counts[i])
		if counts[i] == 0 && g.what != "denials" || g.most > 0 && counts[i] > g.most {
			t.Errorf("%s: %d series, want 1 to %d", g.what, counts[i], g.most)
		}
	}
}
