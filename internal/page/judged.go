// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/plural"
)

// rule is what one rule says of what runs, and of what ended.
type rule struct {
	Name, Severity string
	Violated       bool
	Bar            bar
	Reasons        []reason
	Ended          string
	Broken         string // when a run that violated it ended last
}

// reason is why processes violate a rule; Workload is empty if there are too few.
type reason struct {
	Reason, Workload string
	N                int
}

// rules returns those that are about some process, the violated ones first.
func rules(s series) []rule {
	at := map[string]*rule{}
	groups := s.groups("landlock_rule_processes", "rule", "result")
	ends := s.groups("landlock_rule_runs_total", "rule", "result")
	for _, g := range slices.Concat(groups, ends) {
		if at[g.name] == nil {
			at[g.name] = &rule{Name: g.name, Bar: newBar(results, nil)}
		}
	}
	for _, g := range groups {
		at[g.name].Bar = newBar(results, g.n)
	}
	for _, g := range ends {
		at[g.name].Ended = newBar(ended, g.n).Label
	}
	each := func(metric string, do func(*rule, point)) {
		for _, p := range s[metric] {
			if r := at[p.labels["rule"]]; r != nil {
				do(r, p)
			}
		}
	}
	each("landlock_rule_violated", func(r *rule, p point) {
		r.Severity, r.Violated = p.labels["severity"], p.value == 1
	})
	each("landlock_rule_violations", func(r *rule, p point) {
		words := strings.ReplaceAll(p.labels["reason"], "_", " ")
		r.Reasons = append(r.Reasons, reason{words, p.labels["workload"], int(p.value)})
	})
	latest := map[*rule]float64{}
	each("landlock_rule_last_broken_timestamp_seconds", func(r *rule, p point) {
		latest[r] = max(latest[r], p.value)
		r.Severity, r.Broken = p.labels["severity"], timeText(latest[r])
	})
	all := make([]rule, 0, len(at))
	for _, r := range at {
		all = append(all, *r)
	}
	rank := map[bool]int{true: 0, false: 1}
	order.By(all, func(a, b rule) int {
		return cmp.Or(cmp.Compare(rank[a.Violated], rank[b.Violated]), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// asset is whom Landlock keeps from something, of those that are sandboxed.
type asset struct {
	Name   string
	Bar    bar
	Within []count // workloads, the most processes first
	More   int
}

// shownWithin is how many workloads are listed of one asset.
const shownWithin = 10

func assets(s series) (all []asset) {
	within := map[string][]count{}
	for _, g := range s.groups("landlock_workload_asset_processes", "asset", "workload") {
		for workload, n := range g.n {
			within[g.name] = append(within[g.name], count{workload, n})
		}
		sortCounts(within[g.name])
	}
	for _, g := range s.groups("landlock_asset_processes", "asset", "reach") {
		first := within[g.name][:min(len(within[g.name]), shownWithin)]
		all = append(all, asset{g.name, newBar(reaches, g.n), first, len(within[g.name]) - len(first)})
	}
	return all
}

// failure is why the host was not scanned, in sentences.
func failure(s series) (all []string) {
	for _, p := range s["landlockd_source_available"] {
		if reason := p.labels["reason"]; reason != "" {
			all = append(all, fmt.Sprintf("%s: %s", p.labels["source"], reason))
		}
	}
	errors := s.counts("landlockd_scan_errors_total", "reason")
	for reason, n := range errors {
		if n > 0 {
			all = append(all, plural.Count(n, "scan")+" failed so far: "+reason)
		}
	}
	slices.Sort(all)
	return all
}
