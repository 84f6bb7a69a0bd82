// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/test/testenv"
)

// metrics are samples by name and labels, as in `name{a="b"}`.
type metrics map[string]float64

func parseMetrics(t testing.TB, text string) metrics {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
		t.Fatalf("not Prometheus text: %v\n%s", err, text)
	}
	m := metrics{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		var v model.SampleValue
		if err := v.UnmarshalJSON([]byte(`"` + strings.TrimSpace(line[i+1:]) + `"`)); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		m[line[:i]] = float64(v)
	}
	return m
}

// state is the number of processes in a state.
func (m metrics) state(s string) int { return int(m[`landlock_processes{state="`+s+`"}`]) }

// depth is the number of processes at a depth.
func (m metrics) depth(d string) int { return int(m[`landlock_processes_by_depth{depth="`+d+`"}`]) }

// facts are the names of the series about the kernel.
func (m metrics) facts() []string {
	var names []string
	for name := range m {
		if strings.HasPrefix(name, "landlock_") {
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

// promtool runs Prometheus's own check of metrics.
func promtool(t testing.TB, text string) {
	t.Helper()
	cmd := exec.Command(testenv.NeedTool(t, "promtool"), "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
