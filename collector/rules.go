// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/internal/policy"
)

// maxViolations bounds the series of landlock_rule_violations of a host.
const maxViolations = 20

// NewRules returns a collector of what rules find in one snapshot, landlock_rule_* and
// landlockd_rule_*. It is not to be registered for a scan that failed.
func NewRules(r *policy.Evaluation) prometheus.Collector { return rules{r} }

type rules struct{ result *policy.Evaluation }

func (r rules) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, firstRule, lastRule)
	describe(ch, ruleMatchUnknown, ruleMatchUnknown)
}

func (r rules) Collect(ch chan<- prometheus.Metric) {
	for i := range r.result.Rules {
		rule := &r.result.Rules[i]
		for _, result := range policy.Results() {
			emit(ch, ruleProcesses, float64(rule.Processes[result]), rule.Rule.Name, result.String())
		}
		emit(ch, ruleViolated, boolValue(rule.Violated), rule.Rule.Name, rule.Rule.Severity)
	}
	if r.result.Loaded > 0 {
		count := map[policy.Doubt]int{}
		for _, u := range r.result.Undecided {
			count[u.Doubt] = u.Processes
		}
		for _, d := range policy.Doubts() {
			emit(ch, ruleMatchUnknown, float64(count[d]), d.String())
		}
	}
	for _, v := range r.violations() {
		emit(ch, ruleViolations, float64(v.processes), v.rule, v.reason, v.workload)
	}
}

// violation is one series of landlock_rule_violations.
type violation struct {
	rule, reason, workload string
	processes              int
}

// violations returns the first ones. Names that are the same label are one.
func (r rules) violations() []violation {
	var list []violation
	for i := range r.result.Rules {
		rule := &r.result.Rules[i]
		for _, v := range rule.Violations {
			next := violation{rule.Rule.Name, v.Reason.String(), clean(v.Workload), v.Processes}
			at := slices.IndexFunc(list, func(have violation) bool {
				return have.rule == next.rule && have.reason == next.reason && have.workload == next.workload
			})
			switch {
			case at >= 0:
				list[at].processes += next.processes
			case len(list) < maxViolations:
				list = append(list, next)
			}
		}
	}
	return list
}

// ConfigState is the state of the configuration at one scrape.
type ConfigState struct {
	// Loaded is the number of rules in force, Applied of those that were about
	// some process since they were loaded.
	Loaded, Applied int
	// Hash tells the configuration in force apart from others.
	Hash uint64
	// Reloaded reports whether the last attempt to load one succeeded.
	Reloaded bool
	// Since is when the one in force was loaded.
	Since time.Time
}

// NewConfig returns a collector of the state of the configuration,
// landlockd_rules and landlockd_config_*.
func NewConfig(c ConfigState) prometheus.Collector { return configState{c} }

type configState struct{ ConfigState }

func (c configState) Describe(ch chan<- *prometheus.Desc) { describe(ch, firstConfig, lastConfig) }

func (c configState) Collect(ch chan<- prometheus.Metric) {
	emit(ch, rulesByStatus, float64(c.Loaded), "loaded")
	emit(ch, rulesByStatus, float64(c.Applied), "applied")
	emit(ch, configHash, float64(c.Hash))
	emit(ch, configReloaded, boolValue(c.Reloaded))
	emit(ch, configReloadTimestamp, unixSeconds(c.Since))
}
