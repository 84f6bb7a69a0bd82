// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
)

// someRuns are those of a host where a rule was broken. Names that are the same label, with
// bytes of users' choice, are among them.
func someRuns() Runs {
	return Runs{
		Since:    began,
		Ended:    map[string]uint64{"sandboxed": 9, "partial": 1, "unsandboxed": 1234567, "unknown": 2},
		Launches: map[string]uint64{"unsandboxed": 40},
		Workloads: []WorkloadRuns{
			{"a.service", 7, 1}, {"idle.service", 0, 0}, {"b\xfe\n\"", 1, 0}, {"b\xff\n\"", 2, 4}, {Other, 3, 0},
		},
		Rules: []RuleRuns{{"kept", 7, 0, 0, 1, 3, true}, {"broken", 1, 6, 2, 0, 0, false}},
		Broken: []Broken{
			{"broken", "critical", "a.service", began.Add(time.Minute)},
			{"broken", "critical", "b\xfe\n\"", began.Add(time.Hour)},
			{"broken", "critical", "b\xff\n\"", began.Add(time.Second)},
		},
		Lost: 5,
	}
}

func gatherRuns(r Runs) prometheus.Gatherer { return gather(Scrape{Runs: &r}) }

func textOf(t *testing.T, r Runs) string {
	t.Helper()
	return string(render(t, gatherRuns(r), expfmt.NewFormat(expfmt.TypeTextPlain)))
}

func TestRuns(t *testing.T) {
	golden(t, filepath.Join("testdata", "runs.prom"), []byte(textOf(t, someRuns())))
	openMetrics := render(t, gatherRuns(someRuns()), expfmt.NewFormat(expfmt.TypeOpenMetrics))
	golden(t, filepath.Join("testdata", "runs.openmetrics"), openMetrics)
	problems, err := testutil.GatherAndLint(gatherRuns(someRuns()))
	if err != nil || len(problems) > 0 {
		t.Errorf("%v: %v", err, problems)
	}
}

// What ended was counted, whether or not a scan succeeded since.
func TestRunsWithoutScan(t *testing.T) {
	s, runs := all(failed()), someRuns()
	s.Runs = &runs
	text := string(render(t, gather(s), expfmt.NewFormat(expfmt.TypeTextPlain)))
	for line := range strings.Lines(textOf(t, runs)) {
		if !strings.Contains(text, line) {
			t.Errorf("a scan failed, and this is missing: %s", line)
		}
	}
}

// Before anything ended each sum is there at 0, and none of what nothing was about.
func TestNoRuns(t *testing.T) {
	const want = 4 + 2 + 1 + 1 // runs and launches by state, the start and what was lost
	if n := testutil.CollectAndCount(&Scrape{Runs: &Runs{}}); n != want {
		t.Errorf("%d series, want %d:\n%s", n, want, textOf(t, Runs{}))
	}
}

// A host has at most 20 series of what broke, and they are the first ones.
func TestBrokenIsBounded(t *testing.T) {
	r := someRuns()
	for i := range 50 {
		r.Broken = append(r.Broken, Broken{"other", "info", fmt.Sprintf("w%02d", i), began})
	}
	// The same label as one that is there already.
	r.Broken = append(r.Broken, Broken{"broken", "critical", "b\xc3\n\"", began.Add(2 * time.Hour)})
	text := textOf(t, r)
	if n := strings.Count(text, "\nlandlock_rule_last_broken_timestamp_seconds{"); n != 20 {
		t.Errorf("%d series, want 20", n)
	}
	latest := fmt.Sprintf(`workload="b�\n\""} %v`, unixSeconds(began.Add(2*time.Hour)))
	if !strings.Contains(text, latest) || !strings.Contains(text, `"w17"`) || strings.Contains(text, `"w18"`) {
		t.Errorf("want %s, and w00 to w17:\n%s", latest, text)
	}
}
