// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/landlockd/landlockd/test/systemd/timing"
)

// Switches of the services below, and what they write down of themselves.
const (
	noSandbox = "/run/flaky.no-sandbox"
	noMore    = "/run/crashing.no-more"
	crashes   = "/run/crashing.count"
	ticks     = "/run/ticking.count"
)

// passing are units whose processes come and go between two scans.
// By default systemd starts a unit at most five times in ten seconds.
var passing = map[string]string{
	// It has its sandbox or not, as its configuration says when it starts.
	"flaky.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=exec\nRestart=always\nRestartSec=0\n" +
		"ExecStart=/bin/sh -c 'test -e " + noSandbox + " || set -- " + self + " launch --; exec \"$$@\" " + programs + "flaky infinity'\n",
	// It lives for 300 ms, again and again: two processes, the shell and what it starts.
	"crashing.service": "[Unit]\nStartLimitIntervalSec=0\nConditionPathExists=!" + noMore + "\n[Service]\nType=exec\nRestart=always\n" +
		"RestartSec=1\nLimitCORE=0\nExecStart=/bin/sh -c '" + programs + "crashing 0.3; echo >>" + crashes + "; kill -SEGV $$$$'\n",
	// One process, for 50 ms.
	"ticking.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo >>" + ticks + "; exec " + programs + "ticking 0.05'\n",
	"ticking.timer":   "[Timer]\nOnActiveSec=100ms\nOnUnitInactiveSec=1s\nAccuracySec=1ms\n",
	// One process, as short as can be; its cgroup goes with it.
	"hourly.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=" + programs + "hourly\n",
}

// passingRules are about them, but for hourly.service. The first one has the grace of a
// rule that notices a bad run between two scrapes.
func passingRules() string {
	return watchedRules() + fmt.Sprintf(`  - {name: flaky, match: {unit: [flaky.service]}, grace: %s, severity: critical}
  - {name: crashing, match: {unit: [crashing.service]}, short_runs: violation}
  - {name: ticking, match: {unit: [ticking.service]}, short_runs: violation, severity: info}
`, timing.RunGrace)
}

// brokenTold is the notification that people must get of runs that broke a rule, which is
// called as its unit is.
func brokenTold(status, rule, severity string) expectation {
	return expectation{
		status: status,
		labels: map[string]string{
			"alertname": "LandlockRuleBroken", "cluster": "home", "instance": "guest:10644", "job": "landlockd",
			"rule": rule, "severity": severity, "workload": rule + ".service",
		},
		runbook: runbooks + "LandlockRuleBroken.md",
		summary: "Rule " + rule + " was violated on guest:10644 by what has ended.",
		description: regexp.MustCompile(`^A process of ` + rule + `\.service that violated rule ` + rule +
			` ended on guest:10644 [0-9a-z. ]+ ago\. Ends that violated the rule in the last hour: [1-9][0-9]*\.$`),
	}
}

// allBroken are the notifications of every rule that is broken here, in one status.
func allBroken(status string) []expectation {
	return []expectation{
		brokenTold(status, "crashing", "warning"), brokenTold(status, "flaky", "critical"), brokenTold(status, "ticking", "info"),
	}
}

// checkRuns has services run without a sandbox for so short that no scrape sees it. People
// are notified of each once, over a restart of landlockd, too, and by one alert.
func (h *host) checkRuns(t *T) {
	t.Must(copyFile("/bin/true", programs+"hourly"))
	for _, name := range []string{"flaky", "crashing", "ticking"} {
		t.Must(copyFile("/bin/sleep", programs+name))
	}
	for name, text := range passing {
		write(t, "/etc/systemd/system/"+name, text)
	}
	must(t, "systemctl", "daemon-reload")
	h.reloadRules(t, passingRules())
	must(t, "systemctl", "start", "flaky.service")
	flaky := flakyAfter(t, 0)
	configurePrometheus(t, timing.RunScrape, "guest:10644")
	must(t, "systemctl", "reload", "prometheus.service")
	untilScraped(t)

	began := time.Now()
	must(t, "systemctl", "start", "crashing.service", "ticking.timer")
	flaky, broke := breakFlaky(t, flaky)
	at, ok := h.inbox.await(3, broke.Add(timing.BrokenWithin))
	if !ok {
		t.Fatalf("not all alerts within %s: came %v; %s; firing: %v", timing.BrokenWithin, h.inbox.all(), pace(), firing())
	}
	t.Fact("info", fmt.Sprintf("told after %s of at most %s", at.Sub(broke).Round(100*time.Millisecond), timing.BrokenWithin))
	h.inbox.expectSorted(t, "broken once", allBroken("firing")...)

	const hours = 5
	for range hours {
		must(t, "systemctl", "start", "hourly.service")
	}
	must(t, "systemctl", "stop", "ticking.timer")
	write(t, noMore, "")
	eventually(t, "nothing is left of what comes and goes", func() error {
		for _, unit := range []string{"crashing.service", "ticking.service"} {
			if out, _ := exec.Command("systemctl", "show", "--value", "--property=ActiveState", unit).Output(); string(out) != "inactive\n" {
				return fmt.Errorf("%s is %s", unit, out)
			}
		}
		return nil
	})
	p := h.scrape(t)
	// Until it broke, and what broke it.
	exactRuns(t, p, "flaky", 1, 1)
	exactRuns(t, p, "crashing", 0, 2*lines(t, crashes))
	exactRuns(t, p, "ticking", 0, lines(t, ticks))
	for workload, n := range map[string]float64{"hourly": hours, "flaky": 1, "crashing": 2 * lines(t, crashes), "ticking": lines(t, ticks)} {
		if got := p[`landlock_workload_runs_total{state="unsandboxed",workload="`+workload+`.service"}`]; got != n {
			t.Errorf("%s.service: %v runs outside of a sandbox, want %v", workload, got, n)
		}
	}
	unharmed(t, p)

	// What counts begins anew: the same figures hide that it happened again.
	const since = "landlockd_runs_start_timestamp_seconds"
	must(t, "systemctl", "restart", "landlockd.service")
	h.packageServes(t)
	if q := h.scrape(t); q[since] <= p[since] {
		t.Errorf("restarted, it counts since %v, before since %v", q[since], p[since])
	}
	if _, h.broke = breakFlaky(t, flaky); h.broke.Sub(broke) > timing.Broken {
		t.Fatalf("%s from the first bad run to the second, in which the alert has gone: %s", h.broke.Sub(broke), pace())
	}
	untilScraped(t)
	p = h.scrape(t)
	exactRuns(t, p, "flaky", 1, 1)
	unharmed(t, p)

	allClean(t, began)
	h.inbox.expectSorted(t, "broken twice", allBroken("firing")...)
	onlyFired(t, "broken twice", allBroken("firing")...)
}

// breakFlaky kills the process of flaky.service, and has the next one run without its sandbox
// between two scrapes. It returns the one after that, and when the bad one ended.
func breakFlaky(t *T, pid int) (next int, ended time.Time) {
	untilScraped(t)
	write(t, noSandbox, "")
	t.Must(syscall.Kill(pid, syscall.SIGKILL))
	bad := flakyAfter(t, pid)
	p, err := inspect(bad)
	t.Must(err)
	untilAge(t, p, timing.RunGrace+500*time.Millisecond)
	t.Must(os.Remove(noSandbox))
	ended = time.Now()
	t.Must(syscall.Kill(bad, syscall.SIGKILL))
	return flakyAfter(t, bad), ended
}

// flakyAfter waits until flaky.service runs with another process than that, and returns it.
func flakyAfter(t *T, before int) int {
	var pid int
	eventually(t, "flaky.service runs", func() error {
		text := must(t, "systemctl", "show", "--value", "--property=MainPID", "flaky.service")
		if _, err := fmt.Sscan(text, &pid); err != nil || pid == 0 || pid == before {
			return fmt.Errorf("its process is %q: %w", text, err)
		}
		p, err := inspect(pid)
		if err == nil && p.exe != programs+"flaky" {
			err = fmt.Errorf("it is %s still", p.exe)
		}
		return err
	})
	return pid
}

// untilScraped waits until Prometheus has scraped landlockd once more.
func untilScraped(t *T) {
	scraped := func() (float64, error) {
		got, err := query(`timestamp(landlockd_scan_success{job="landlockd"})`)
		return got[`{cluster="home",instance="guest:10644",job="landlockd"}`], err
	}
	before, err := scraped()
	t.Must(err)
	eventually(t, "landlockd is scraped once more", func() error {
		last, err := scraped()
		if err == nil && last <= before {
			err = errors.New("it is not")
		}
		return err
	})
}

// exactRuns compares the runs that a rule was about.
func exactRuns(t *T, p page, rule string, compliant, violating float64) {
	for result, want := range map[string]float64{"compliant": compliant, "violating": violating, "short": 0, "unknown": 0} {
		if got := p[`landlock_rule_runs_total{result="`+result+`",rule="`+rule+`"}`]; got != want {
			t.Errorf("rule %s: %v runs are %s, want %v", rule, got, result, want)
		}
	}
}

// unharmed sees that landlockd lost no run, and that the scrape after all of it finds
// no violation.
func unharmed(t *T, p page) {
	if lost, ok := p["landlockd_run_records_lost_total"]; lost != 0 || !ok {
		t.Errorf("landlockd_run_records_lost_total is %v (present: %t)", lost, ok)
	}
	if violated := p.With("landlock_rule_violations{"); len(violated) > 0 {
		t.Errorf("there are violations:\n%s", violated)
	}
}

// allClean sees that no scrape saw flaky.service without its sandbox.
func allClean(t *T, began time.Time) {
	window := fmt.Sprintf("[%ds]", int(time.Since(began).Seconds()))
	for expr, want := range map[string]float64{
		`max(max_over_time(landlock_rule_violated{rule="flaky"}` + window + `))`:                                      0,
		`max(max_over_time(landlock_rule_processes{rule="flaky",result!="compliant"}` + window + `))`:                 0,
		`min(min_over_time(landlock_rule_processes{rule="flaky",result="compliant"}` + window + `))`:                  1,
		`max(max_over_time(landlock_workload_processes{state="unsandboxed",workload="flaky.service"}` + window + `))`: 0,
	} {
		got, err := query(expr)
		t.Must(err)
		if v, ok := got["{}"]; v != want || !ok {
			t.Errorf("%s is %v, want %v; %s", expr, got, want, pace())
		}
	}
}

// lines returns how many lines a file has.
func lines(t *T, file string) float64 {
	b, err := os.ReadFile(file)
	t.Must(err)
	return float64(strings.Count(string(b), "\n"))
}

// reloadRules has landlockd, as its package starts it, judge by other rules.
func (h *host) reloadRules(t *T, rules string) {
	const hash = "landlockd_config_hash"
	before := h.scrape(t)[hash]
	write(t, configFile, rules)
	must(t, "landlockd", "check-config")
	must(t, "systemctl", "reload", "landlockd.service")
	eventually(t, "landlockd has these rules", func() error {
		if h.scrape(t)[hash] == before {
			return errors.New("it has those of before")
		}
		return nil
	})
}
