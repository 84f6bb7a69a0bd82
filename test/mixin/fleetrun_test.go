// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/fleet"
)

var (
	fleetHosts = flag.Int("fleet.hosts", 0, "simulate so many hosts in TestFleet; 0 leaves it out")
	fleetFor   = flag.Duration("fleet.for", 90*time.Second, "how long TestFleet runs")
)

const (
	// fleetInterval is between scrapes and between evaluations in TestFleet.
	fleetInterval = 10 * time.Second
	// rateInterval is what $__rate_interval stands for, four scrapes or more.
	rateInterval = "1m"
	// maxQuery is how long a panel may take.
	maxQuery = time.Second
)

// TestFleet lets a Prometheus scrape a large fleet for a while. Throughout,
// fleet-wide figures are what the fleet was made of; series, rules and
// dashboards stay within their budgets. make fleet runs it.
func TestFleet(t *testing.T) {
	if *fleetHosts == 0 {
		t.Skip("not asked for: see make fleet")
	}
	hosts := fleet.Generate(fleet.Options{Seed: 11, Hosts: *fleetHosts, Units: 110})
	end := time.Now().Add(*fleetFor)
	p := startFleet(t, hosts, fleetInterval.String())
	checks := checksOf(t, dashboards(t), hosts)
	settle(t, p, checks, 2*time.Minute)
	steady := slices.DeleteFunc(slices.Clone(checks), func(c check) bool {
		return c.want == nil || !strings.Contains(c.name, "fleet fleet/")
	})
	for rounds := 1; time.Now().Before(end); rounds++ {
		for _, c := range steady {
			if problem := c.run(p); problem != "" {
				t.Fatalf("round %d, %s: %s", rounds, c.name, problem)
			}
		}
		time.Sleep(time.Second)
	}
	checkSeries(t, p, hosts)
	checkGroups(t, p)
	checkSpeed(t, p, checks)
}

// checkSeries: DESIGN.md section 6 gives each host about 60 series, 4 for each
// workload that it names and 5 for each rule that applies.
func checkSeries(t *testing.T, p *prometheus, hosts []*fleet.Host) {
	t.Helper()
	got, err := p.query(`scrape_samples_scraped{job="landlockd"} > 0`, true)
	if err != nil || len(got) < len(hosts)*3/4 {
		t.Fatalf("samples of %d hosts of %d (%v)", len(got), len(hosts), err)
	}
	samples := map[string]float64{}
	total := 0.0
	for _, s := range got {
		samples[string(s.Metric["instance"])] = float64(s.Value)
		total += float64(s.Value)
	}
	for _, h := range hosts {
		// Rights and denials are not in the budget of the metrics that are always there.
		rights, denials := 20, 6
		budget := float64(60 + 4*min(len(h.Units), 100) + 5*len(fleet.Rules()) + rights + denials)
		if n := samples[h.Name+":10644"]; n > budget {
			t.Errorf("%s exports %v series for %d workloads, want at most %v", h.Name, n, len(h.Units), budget)
		}
	}
	t.Logf("%.0f series of %d hosts, %.0f each", total, len(got), total/float64(len(got)))
}

// checkGroups: every group of rules is evaluated within its interval, and no rule fails.
func checkGroups(t *testing.T, p *prometheus) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Name           string
			Interval       float64
			EvaluationTime float64
			Rules          []struct{ Name, Health, LastError string }
		}
	}
	if err := p.get("rules", nil, &rules); err != nil || len(rules.Groups) == 0 {
		t.Fatalf("%d groups of rules (%v)", len(rules.Groups), err)
	}
	for _, g := range rules.Groups {
		t.Logf("%s: evaluated in %.3f s", g.Name, g.EvaluationTime)
		if g.EvaluationTime > g.Interval {
			t.Errorf("%s takes %.1f s of %.0f s", g.Name, g.EvaluationTime, g.Interval)
		}
		for _, r := range g.Rules {
			if r.Health != "ok" {
				t.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
}

// checkSpeed: each panel of the whole fleet answers within a second, in the
// best of three tries: what is measured is Prometheus, not its neighbours.
func checkSpeed(t *testing.T, p *prometheus, checks []check) {
	t.Helper()
	var slow []string
	worst := time.Duration(0)
	for _, c := range checks {
		best := time.Duration(math.MaxInt64)
		for range 3 {
			began := time.Now()
			if _, err := p.query(c.expr, c.instant); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			best = min(best, time.Since(began))
		}
		worst = max(worst, best)
		if best > maxQuery {
			slow = append(slow, fmt.Sprintf("%s: %s", c.name, best))
		}
	}
	t.Logf("the slowest of %d queries took %s", len(checks), worst)
	if len(slow) > 0 {
		t.Errorf("slower than %s: %s", maxQuery, strings.Join(slow, "; "))
	}
}
