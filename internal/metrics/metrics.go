// SPDX-License-Identifier: Apache-2.0

// Package metrics puts what a scan, rules and denials come to into the form in which
// package collector shows it: for scrapes, for textfiles and for the simulated fleet.
package metrics

import (
	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// Options are what can be left out.
type Options struct {
	// Workloads set which workloads have series of their own. HasRule is not used.
	Workloads collector.WorkloadOptions
	// Rights and Hardening are those of collector.Scrape.
	Rights, Hardening bool
}

// Scrape returns what is shown of a snapshot, with what rules find in it, and with what
// a monitor counted, unless that is nil.
func (o *Options) Scrape(
	snap *scan.Snapshot, result *policy.Evaluation, monitor *denials.Monitor,
) collector.Scrape {
	workloads := o.Workloads
	workloads.HasRule = result.HasRule
	shown := collector.Scrape{
		Snapshot: snap, Rights: o.Rights, Hardening: o.Hardening, Workloads: &workloads,
		Rules: rules(snap, result),
	}
	if monitor != nil {
		shown.Denials = denialStats(monitor.Stats())
	}
	return shown
}

// rules returns what rules find in one snapshot.
func rules(snap *scan.Snapshot, r *policy.Evaluation) *collector.Rules {
	shown := &collector.Rules{Rules: make([]collector.Rule, len(r.Rules))}
	for i := range r.Rules {
		rule := &r.Rules[i]
		n := &rule.Processes
		out := collector.Rule{
			Name: rule.Rule.Name, Severity: rule.Rule.Severity, Violated: rule.Violated,
			Compliant: n[policy.Compliant], Violating: n[policy.Violating],
			Starting: n[policy.Starting], Unknown: n[policy.Unknown], Waived: n[policy.Waived],
			Accepts: rule.Rule.HasAccept(), AnyWaived: rule.Waived(),
		}
		if rule.Since > 0 {
			out.Since = snap.Started(&scan.Process{Start: rule.Since})
		}
		if len(rule.Accepts) > 0 {
			out.AcceptsUntil = rule.Accepts[0].Until
		}
		for _, v := range rule.Violations {
			out.Violations = append(out.Violations, collector.Violation{
				Reason: v.Reason.String(), Workload: v.Workload, Processes: v.Processes,
			})
		}
		shown.Rules[i] = out
	}
	if r.Loaded > 0 {
		shown.Undecided = map[string]int{}
		for _, d := range policy.Doubts() {
			shown.Undecided[d.String()] = 0
		}
		for _, u := range r.Undecided {
			shown.Undecided[u.Doubt.String()] = u.Processes
		}
	}
	return shown
}

// denialStats returns what a monitor counted.
func denialStats(s denials.Stats) *collector.Denials {
	shown := &collector.Denials{Total: s.Total, TotalKnown: s.TotalKnown}
	if !s.Fed {
		return shown
	}
	shown.Lost, shown.ByWorkload = s.Lost, s.ByWorkload
	shown.ByBlocker = map[string]uint64{}
	for i, n := range s.ByBlocker {
		if b := denials.Blocker(i); n > 0 || s.Blockers.Has(b) {
			shown.ByBlocker[b.String()] = n
		}
	}
	return shown
}
