// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ofWorkload is how many processes of a workload ended in a state; -1 without a series.
func (m metrics) ofWorkload(name, state string) float64 {
	v, ok := m[fmt.Sprintf("landlock_workload_runs_total{state=%q,workload=%q}", state, name)]
	if !ok {
		return -1
	}
	return v
}

// countsRunsBy reports whether landlockd_source_info says so.
func (m metrics) countsRunsBy(way string) bool {
	for series := range m {
		if strings.HasPrefix(series, "landlockd_source_info{") {
			return strings.Contains(series, `runs="`+way+`"`)
		}
	}
	return false
}

// runBriefly runs a command again and again, each time to its end.
func runBriefly(t *testing.T, times int, args ...string) {
	t.Helper()
	for range times {
		p := launch(t, nil, args...)
		if code := p.wait(t); code != 0 {
			t.Fatalf("%q ends with %d: %s", args, code, &p.stderr)
		}
	}
}

// TestRunsBetweenScrapes: what no scan saw is counted under its workload, each once.
func TestRunsBetweenScrapes(t *testing.T) {
	const n, free, inside, idle = 5, "llfree.service", "llinside.service", "llidle.service"
	tree := newCgroupTree(t)
	tree.put(idle, stay(t, false, "sh", "-c", "read x"))
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require"}})
	eventually(t, "what runs has a series before it ends", func() bool {
		return d.scrape(t).ofWorkload(idle, "unsandboxed") == 0
	})
	before := d.scrape(t)
	if !before.countsRunsBy("tracepoints") {
		t.Error("landlockd_source_info does not say how runs are counted")
	}
	runBriefly(t, n, tree.inside(free, "sleep", "0.2")...)
	runBriefly(t, n, tree.inside(inside, sandboxed(1, "sleep", "0.2")...)...)
	after := d.scrape(t)
	if got := after.ofWorkload(free, "unsandboxed"); got != n {
		t.Errorf("%v runs of %s, want %d", got, free, n)
	}
	if got := after.ofWorkload(inside, "unsandboxed") + after.ofWorkload(inside, "partial"); got > 0 {
		t.Errorf("%v runs of %s are not sandboxed", got, inside)
	}
	for series, least := range map[string]float64{
		`landlock_runs_total{state="unsandboxed"}`: n, `landlock_runs_total{state="sandboxed"}`: n,
		`landlock_launches_total{state="unsandboxed"}`: n, // the shells that execute something
	} {
		if got := after[series] - before[series]; got < least {
			t.Errorf("%s grew by %v, by at least %v is right", series, got, least)
		}
	}
	total := after[`landlock_runs_total{state="unsandboxed"}`] + after[`landlock_runs_total{state="partial"}`]
	if sum := after.sum("landlock_workload_runs_total"); sum != total {
		t.Errorf("%v runs of all workloads were not sandboxed, of %v", sum, total)
	}
	if lost := after["landlockd_run_records_lost_total"]; lost != 0 {
		t.Errorf("%v were lost", lost)
	}
	began := time.Unix(0, int64(after["landlockd_runs_start_timestamp_seconds"]*1e9))
	if since := time.Since(began); since < 0 || since > time.Hour {
		t.Errorf("it counts since %v", began)
	}
	d.stop(t)
}

// TestRunsOfRules: what broke a rule between two scrapes is known, and stays so over reloads
// for as long as there is a rule of that name.
func TestRunsOfRules(t *testing.T) {
	program := ownProgram(t)
	c := newConfig(t, "rules:\n"+ruleText("brief", program))
	const violating = `landlock_rule_runs_total{result="violating",rule="brief"}`
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", c.flag()}})
	began := time.Now()
	runBriefly(t, 3, program, "/dev/null")
	m := d.scrape(t)
	m.has(t, violating, 3)
	broken := func(m metrics) (at float64) {
		for series, v := range m {
			if strings.HasPrefix(series, "landlock_rule_last_broken_timestamp_seconds{") &&
				strings.Contains(series, `rule="brief",severity="warning"`) {
				at = v
			}
		}
		return at
	}
	at := time.Unix(0, int64(broken(m)*1e9))
	if at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("it was broken at %v, want between %v and now", at, began)
	}
	c.replace(t, "rules:\n"+ruleText("brief", program)+ruleText("other", "/bin/no-such"))
	d.hangUp(t)
	m = d.scrape(t)
	m.has(t, violating, 3)
	if broken(m) == 0 {
		t.Error("when it was broken is forgotten")
	}
	// What ended before a reload is judged by the rules from before.
	runBriefly(t, 1, program, "/dev/null")
	c.replace(t, "rules:\n"+ruleText("brief", "/bin/no-such"))
	d.hangUp(t)
	runBriefly(t, 1, program, "/dev/null")
	d.scrape(t).has(t, violating, 4)
	c.replace(t, "rules:\n"+ruleText("other", "/bin/no-such"))
	d.hangUp(t)
	if m = d.scrape(t); broken(m) != 0 || m[violating] != 0 {
		t.Errorf("there is no such rule any more, but %v, %v", broken(m), m[violating])
	}
}

// atTracepoints counts the programs of a daemon that are no iterators.
func (d *daemon) atTracepoints(t *testing.T) (n int) {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		b, err := os.ReadFile(info)
		_, kind, isLink := strings.Cut(string(b), "link_type:\t")
		if err == nil && isLink && !strings.HasPrefix(kind, "iter\n") {
			n++
		}
	}
	return n
}

// TestNoRuns: without the collector no program of it is loaded.
func TestNoRuns(t *testing.T) {
	const denials = "--no-collector.denials" // their programs are at tracepoints, too
	counts := startDaemon(t, daemonOptions{args: []string{denials}})
	d := startDaemon(t, daemonOptions{args: []string{denials, "--no-collector.runs"}})
	if n, other := d.atTracepoints(t), counts.atTracepoints(t); n != 0 || other == 0 {
		t.Errorf("%d programs are loaded, and %d where runs are counted", n, other)
	}
	m := d.scrape(t)
	if !m.countsRunsBy("none") || m.countsRunsBy("tracepoints") {
		t.Error("landlockd_source_info does not say that runs are not counted")
	}
	for series := range m {
		if ofRuns.MatchString(series) || strings.HasPrefix(series, "landlockd_run") {
			t.Errorf("%s is exported", series)
		}
	}
}
