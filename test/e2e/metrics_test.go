// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/exposition"
	"github.com/landlockd/landlockd/test/testenv"
)

// metrics are the samples of a page.
type metrics exposition.Samples

func parseMetrics(t testing.TB, text string) metrics {
	t.Helper()
	m, err := exposition.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return metrics(m)
}

// state is the number of processes in a state.
func (m metrics) state(s string) int { return int(m[`landlock_processes{state="`+s+`"}`]) }

// depth is the number of processes at a depth.
func (m metrics) depth(d string) int { return int(m[`landlock_processes_by_depth{depth="`+d+`"}`]) }

// facts are the names of the series about the kernel that a scan found.
func (m metrics) facts() []string {
	var names []string
	for name := range m {
		if strings.HasPrefix(name, "landlock_") && !ofRuns.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}

// has fails the test unless a sample is there with this value.
func (m metrics) has(t testing.TB, name string, want float64) {
	t.Helper()
	if got, ok := m[name]; !ok || got != want {
		t.Errorf("%s is %v (there: %v), want %v", name, got, ok, want)
	}
}

// ofRuns matches the series of what ended, which need no scan.
var ofRuns = regexp.MustCompile(
	"^landlock_(runs|launches|workload_runs|rule_runs|rule_last_broken)_(total|timestamp_seconds)")

// promtool runs Prometheus's own check of metrics.
func promtool(t testing.TB, text string) {
	t.Helper()
	cmd := exec.Command(testenv.NeedTool(t, "promtool"), "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
