// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"flag"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/fleet"
)

var (
	fleetHosts  = flag.Int("fleet.hosts", 100, "simulate so many hosts in TestFleet")
	fleetFor    = flag.Duration("fleet.for", 90*time.Second, "how long TestFleet runs, at least")
	fleetEvery  = flag.Duration("fleet.interval", 10*time.Second, "time between scrapes and between evaluations in TestFleet")
	fleetRecord = flag.String("fleet.record", "", "write what TestFleet measures to this file")
)

const (
	// rateInterval is what $__rate_interval stands for, four scrapes or more.
	rateInterval = "2m"
	// maxQuery is how long a panel may take.
	maxQuery = time.Second
)

// TestFleet lets a Prometheus scrape a large fleet for a while. Throughout, what
// rules record and panels show is what the fleet is made of; a third of the way,
// some hosts lose Landlock. Series, rules and dashboards stay within their
// budgets. make fleet runs it with more hosts, for longer.
func TestFleet(t *testing.T) {
	t.Parallel()
	hosts := fleet.Generate(fleet.Options{Seed: 5, Hosts: *fleetHosts, Units: 110})
	interval := *fleetEvery
	began := time.Now()
	p, served := startFleet(t, hosts, interval.String(), "--web.enable-admin-api")
	all := dashboards(t)
	checks := checksOf(t, all, hosts)
	settle(t, p, checks, 12*interval)
	watch(t, p, exact(checks), began.Add(*fleetFor/3))

	lost := time.Now()
	if err := served.LoseLandlock(); err != nil {
		t.Fatal(err)
	}
	checks = checksOf(t, all, fleet.AfterLoss(hosts))
	// A scan that fails, one that succeeds, and the evaluation after it.
	settle(t, p, prompt(checks), 8*interval)
	if t.Failed() {
		return
	}
	// A rule is violated once it was so in more than half of its window, which
	// here began with the first scrape.
	watchUntil(t, p, exact(checks), lost.Add(lost.Sub(began)+8*interval))
	watch(t, p, exact(checks), began.Add(*fleetFor))
	if t.Failed() {
		return
	}
	checkSeries(t, p, hosts)
	m := measured{Hosts: len(hosts), Interval: interval.Seconds(), Seconds: time.Since(began).Seconds()}
	checkGroups(t, p, &m)
	checkSpeed(t, p, checks, &m)
	measure(t, p, served, hosts, &m)
}

// exact are the checks that know what must be returned.
func exact(checks []check) (out []check) {
	for _, c := range checks {
		if c.want != nil {
			out = append(out, c)
		}
	}
	return out
}

// prompt are the exact checks of what does not look at a rule's window.
func prompt(checks []check) (out []check) {
	for _, c := range exact(checks) {
		if !strings.Contains(c.expr, ":landlock_hosts_violating:") {
			out = append(out, c)
		}
	}
	return out
}

// watch repeats checks to the end, and takes no wrong answer.
func watch(t *testing.T, p *prometheus, checks []check, end time.Time) {
	t.Helper()
	for round := 1; time.Now().Before(end); round++ {
		for _, c := range checks {
			if problem := c.run(p); problem != "" {
				t.Fatalf("round %d, %s: %s\n  %s", round, c.name, problem, c.expr)
			}
		}
		time.Sleep(*fleetEvery / 5)
	}
}

// watchUntil is as watch, but lets checks that look at windows settle first. It
// returns as soon as all have, and none may need longer than until a time.
func watchUntil(t *testing.T, p *prometheus, checks []check, end time.Time) {
	t.Helper()
	for {
		watch(t, p, prompt(checks), time.Now().Add(time.Millisecond))
		late := ""
		for _, c := range checks {
			if problem := c.run(p); problem != "" {
				late = fmt.Sprintf("%s: %s\n  %s", c.name, problem, c.expr)
			}
		}
		if late == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(late)
		}
	}
}

// checkSeries: no host exports more than there is room for.
func checkSeries(t *testing.T, p *prometheus, hosts []*fleet.Host) {
	t.Helper()
	got, err := p.query(`max_over_time(scrape_samples_scraped{job="landlockd"}[5m]) > 0`, true)
	if err != nil {
		t.Fatal(err)
	}
	samples := map[string]float64{}
	for _, s := range got {
		samples[string(s.Metric["instance"])] = float64(s.Value)
	}
	for _, h := range hosts {
		switch n := samples[h.Instance()]; {
		case (n == 0) != (h.Kind == fleet.Down):
			t.Errorf("%s has %v series", h.Name, n)
		case int(n) > h.Most():
			t.Errorf("%s has %v series for %d workloads, want at most %d", h.Name, n, len(h.Units), h.Most())
		}
	}
}

// checkGroups: every group of rules is evaluated within its interval, in each of
// its evaluations, and no rule fails.
func checkGroups(t *testing.T, p *prometheus, m *measured) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Name           string
			Interval       float64
			EvaluationTime float64
			Rules          []struct {
				Name, Health, LastError string
				EvaluationTime          float64
			}
		}
	}
	if err := p.get("rules", nil, &rules); err != nil || len(rules.Groups) == 0 {
		t.Fatalf("%d groups of rules (%v)", len(rules.Groups), err)
	}
	m.Groups = map[string]float64{}
	for _, g := range rules.Groups {
		m.Groups[g.Name] = g.EvaluationTime
		if g.EvaluationTime > g.Interval {
			t.Errorf("%s takes %.1f s of %.0f s", g.Name, g.EvaluationTime, g.Interval)
		}
		for _, r := range g.Rules {
			if r.EvaluationTime > g.Interval/20 {
				t.Logf("%s takes %.2f s", r.Name, r.EvaluationTime)
			}
			if r.Health != "ok" {
				t.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	own := p.own(t)
	if missed, failed := own.sum("prometheus_rule_group_iterations_missed_total"), own.sum("prometheus_rule_evaluation_failures_total"); missed+failed > 0 {
		t.Errorf("%v evaluations missed, %v failed", missed, failed)
	}
}

// checkSpeed: each panel answers within a second, in the best of three tries: what
// is measured is Prometheus, not its neighbours.
func checkSpeed(t *testing.T, p *prometheus, checks []check, m *measured) {
	t.Helper()
	var slow []string
	for _, c := range checks {
		best := time.Duration(math.MaxInt64)
		for range 3 {
			began := time.Now()
			if _, err := p.query(c.expr, c.instant); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			best = min(best, time.Since(began))
		}
		m.SlowestPanel = max(m.SlowestPanel, best.Seconds())
		if best > maxQuery {
			slow = append(slow, fmt.Sprintf("%s: %s", c.name, best))
		}
	}
	if len(slow) > 0 {
		t.Errorf("slower than %s: %s", maxQuery, strings.Join(slow, "; "))
	}
}
