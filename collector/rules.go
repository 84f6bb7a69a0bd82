// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"
)

// maxViolations bounds the series of landlock_rule_violations of a host.
const maxViolations = 20

// Rules is what rules find in one snapshot.
type Rules struct {
	// Rules are those that were about some process since they were loaded, or that need
	// one.
	Rules []Rule
	// Undecided are the processes of which it is not known whether some rule is about
	// them, by the reason: all reasons, if any rules are loaded.
	Undecided map[string]int
}

// Rule is what one rule finds.
type Rule struct {
	Name, Severity string
	// The numbers of the processes that it is about, by its result.
	Compliant, Violating, Starting, Unknown, Waived int
	// Accepts: it has a waiver. AcceptsUntil is when the first of those in force ends, zero
	// if none is. AnyWaived: they waive that a process violates it, or that there are too few.
	Accepts, AnyWaived bool
	AcceptsUntil       time.Time
	// Violated: a process violates it, or there are too few.
	Violated bool
	// Since is when the oldest process was started that violates it, or the first scan of a row
	// found too few; zero if it is not violated, or that is not known.
	Since      time.Time
	Violations []Violation
}

// Violation is one reason for which processes of one workload violate a rule.
type Violation struct {
	// Reason is its word, "too_few"; Workload may be empty.
	Reason, Workload string
	// Processes is how many there are, or are missing.
	Processes int
}

var ruleMetrics = newTable(func(s *Scrape) *Rules { return s.Rules }, []metric[Rules]{
	{
		name: "landlock_rule_processes",
		help: "Processes that a rule is about by what it says of them. starting: it would be " +
			"violating but is younger than the rule's grace. unknown: it could not be found out. " +
			"waived: it is violating, which the rule accepts until some day.",
		labels: []Label{
			{"rule", "the rule's name"},
			{"result", "`compliant`, `violating`, `starting`, `unknown`; `waived` of rules with `accept`"},
		},
		present: "all results of rules that were about some process since they were loaded, or " +
			"have min_processes, if the scan succeeded",
		values: func(r *Rules, emit emitter) {
			for _, rule := range r.Rules {
				emit(float64(rule.Compliant), rule.Name, "compliant")
				emit(float64(rule.Violating), rule.Name, "violating")
				emit(float64(rule.Starting), rule.Name, "starting")
				emit(float64(rule.Unknown), rule.Name, "unknown")
				if rule.Accepts {
					emit(float64(rule.Waived), rule.Name, "waived")
				}
			}
		},
	},
	{
		name: "landlock_rule_violated",
		help: "1 if a process violates the rule or fewer than its min_processes run, else 0: for " +
			"unknown and starting ones alone, too.",
		labels: []Label{
			{"rule", "the rule's name"},
			{"severity", "`info`, `warning`, `critical`"},
		},
		present: "as landlock_rule_processes",
		values: func(r *Rules, emit emitter) {
			for _, rule := range r.Rules {
				emit(boolValue(rule.Violated), rule.Name, rule.Severity)
			}
		},
	},
	{
		name: "landlock_rule_violating_since_timestamp_seconds",
		help: "Start of the oldest process that violates the rule. Where there are too few, when the " +
			"first of this landlockd's scans in a row found so, if that is earlier.",
		labels: []Label{
			{"rule", "the rule's name"},
			{"severity", "`info`, `warning`, `critical`"},
		},
		present: "as landlock_rule_processes, of rules that are violated",
		values: func(r *Rules, emit emitter) {
			for _, rule := range r.Rules {
				if !rule.Since.IsZero() {
					emit(float64(rule.Since.Unix()), rule.Name, rule.Severity)
				}
			}
		},
	},
	{
		name: "landlock_rule_waived",
		help: "1 if a process violates the rule or fewer than its min_processes run, and the rule " +
			"accepts that until some day, else 0. It is not in landlock_rule_violated.",
		labels: []Label{
			{"rule", "the rule's name"},
			{"severity", "`info`, `warning`, `critical`"},
		},
		present: "as landlock_rule_processes, of rules with `accept`",
		values: func(r *Rules, emit emitter) {
			for _, rule := range r.Rules {
				if rule.Accepts {
					emit(boolValue(rule.AnyWaived), rule.Name, rule.Severity)
				}
			}
		},
	},
	{
		name: "landlock_rule_waived_until_timestamp_seconds",
		help: "When the first of the rule's waivers that are in force ends: from then on what it " +
			"accepts is a violation.",
		labels:  []Label{{"rule", "the rule's name"}},
		present: "as landlock_rule_processes, of rules with `accept` that is in force",
		values: func(r *Rules, emit emitter) {
			for _, rule := range r.Rules {
				if !rule.AcceptsUntil.IsZero() {
					emit(float64(rule.AcceptsUntil.Unix()), rule.Name)
				}
			}
		},
	},
	{
		name: "landlock_rule_violations",
		help: "Processes that violate a rule, by the first reason that holds; for too_few, how " +
			"many are missing.",
		labels: []Label{
			{"rule", "the rule's name"},
			{"reason", "`landlock_disabled`, `unsandboxed`, `partial`, `restricts_nothing`, " +
				"`too_shallow`, `too_deep`, `right_not_restricted`, `within_reach`, " +
				"`outside_worker`, `sandboxed`, `too_few`"},
			{"workload", "the processes' workload; empty for `too_few`"},
		},
		present: "only above 0, and the first 20 of the host, in the order of the rules",
		values:  (*Rules).violations,
	},
	{
		name: "landlockd_rule_match_unknown_processes",
		help: "Processes of which it is not known whether some rule is about them, by the first " +
			"reason. They count in no rule; landlockd check names them.",
		labels: []Label{
			{"reason", "what is not known: `cgroup`, `container_name`, `executable` (or not all " +
				"of its path), `parent` (or its workload), `ancestors` (or their executables), " +
				"`user`, `command_line`"},
		},
		present: "all reasons, if rules are loaded and the scan succeeded",
		values:  func(r *Rules, emit emitter) { emitMap(emit, r.Undecided) },
	},
})

// violations emits the first ones. Names that are the same label are one.
func (r *Rules) violations(emit emitter) {
	type key struct{ rule, reason, workload string }
	var keys []key
	n := map[key]int{}
	for _, rule := range r.Rules {
		for _, v := range rule.Violations {
			k := key{rule.Name, v.Reason, clean(v.Workload)}
			if !slices.Contains(keys, k) {
				if len(keys) == maxViolations {
					continue
				}
				keys = append(keys, k)
			}
			n[k] += v.Processes
		}
	}
	for _, k := range keys {
		emit(float64(n[k]), k.rule, k.reason, k.workload)
	}
}
