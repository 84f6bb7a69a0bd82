// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/landlockd/landlockd/scan"
)

// MaxBroken bounds the series of landlock_rule_last_broken_timestamp_seconds of a host.
const MaxBroken = 20

// Runs are counts of processes that ended since Since.
type Runs struct {
	// Since is when counting began.
	Since time.Time
	// Ended are the runs by state, and Launches what ended by execve(2), by the words of
	// scan.State.
	Ended, Launches map[string]uint64
	// Workloads are those whose runs are counted apart, some of them perhaps with none, and
	// "other".
	Workloads []WorkloadRuns
	// Rules are those that some run was about since the rule was first loaded.
	Rules []RuleRuns
	// Broken are the last violations, one for each rule and workload: those that are to be
	// shown first, if there are many, stand first.
	Broken []Broken
	// Lost is how many single runs were lost in a sum.
	Lost uint64
}

// WorkloadRuns are the runs of the workloads of one name that were not sandboxed.
type WorkloadRuns struct {
	Name                 string
	Unsandboxed, Partial uint64
}

// RuleRuns are the runs that one rule was about, by what it found.
type RuleRuns struct {
	Name                                         string
	Compliant, Violating, Short, Unknown, Waived uint64
	// Accepts: it has a waiver.
	Accepts bool
}

// Broken is when a run of a workload that violated a rule ended.
type Broken struct {
	Rule, Severity, Workload string
	Ended                    time.Time
}

const (
	ifEnded = "the daemon only, not `once`, unless `--no-collector.runs` is given; if the kernel " +
		"lets them be counted: see [runs.md](runs.md); if the scan failed, too"
	sinceStart = "since landlockd_runs_start_timestamp_seconds"
)

var runMetrics = newTable(func(s *Scrape) *Runs { return s.Runs }, []metric[Runs]{
	{
		name: "landlock_runs_total",
		help: "Processes that ended " + sinceStart + ", each once, by the state of all threads " +
			"that ended with it. unknown: it could not be found out.",
		labels:  []Label{{"state", "`sandboxed`, `partial`, `unsandboxed`, `unknown`"}},
		present: "all states; " + ifEnded,
		values: func(r *Runs, emit emitter) {
			for _, state := range scan.States() {
				emit(float64(r.Ended[state.String()]), state.String())
			}
		},
	},
	{
		name: "landlock_launches_total",
		help: "Programs that ended as they executed another one in their process, by state, " +
			sinceStart + ". Executors and launchers of sandboxed services end so, unsandboxed: " +
			"these are in no metric of workloads, and in one of rules only if the process was " +
			"older than the rule's grace.",
		labels:  []Label{{"state", "as of `landlock_runs_total`"}},
		present: "`sandboxed` and `unsandboxed` always, the others above 0; " + ifEnded,
		values: func(r *Runs, emit emitter) {
			for _, state := range scan.States() {
				n := r.Launches[state.String()]
				if n > 0 || state == scan.Sandboxed || state == scan.Unsandboxed {
					emit(float64(n), state.String())
				}
			}
		},
	},
	{
		name: "landlock_workload_runs_total",
		help: "Processes of a workload that ended unsandboxed or partial " + sinceStart + ". other: " +
			"those beyond --workload.limit, with all that ran of them before they lost their series.",
		labels: []Label{
			{"workload", "its name, folded: see [workloads.md](workloads.md)"},
			{"state", "`unsandboxed`, `partial`"},
		},
		present: "both states, from 0, of workloads that run or ran; " + ifSeries + "; " + ifEnded,
		values:  (*Runs).workloads,
	},
	{
		name: "landlock_rule_runs_total",
		help: "Processes that a rule was about and that ended " + sinceStart + ", by what it says " +
			"of them. short: as violating, but ended within the rule's grace. unknown: it could " +
			"not be found out. waived: violating, which the rule accepts until some day.",
		labels: []Label{
			{"rule", "the rule's name"},
			{"result", "`compliant`, `violating`, `short`, `unknown`; `waived` of rules with `accept`"},
		},
		present: "all results of rules in force that were about some process that ended; " + ifEnded,
		values: func(r *Runs, emit emitter) {
			for _, rule := range r.Rules {
				emit(float64(rule.Compliant), rule.Name, "compliant")
				emit(float64(rule.Violating), rule.Name, "violating")
				emit(float64(rule.Short), rule.Name, "short")
				emit(float64(rule.Unknown), rule.Name, "unknown")
				if rule.Accepts {
					emit(float64(rule.Waived), rule.Name, "waived")
				}
			}
		},
	},
	{
		name: "landlock_rule_last_broken_timestamp_seconds",
		help: "Time at which the last process that violated the rule ended, in seconds since the " +
			"epoch.",
		labels: []Label{
			{"rule", "the rule's name"},
			{"severity", "`info`, `warning`, `critical`"},
			{"workload", "the process's workload"},
		},
		present: "rules in force that were violated so " + sinceStart + ", at most 20 of the host; " +
			ifEnded,
		values: (*Runs).broken,
	},
	{
		name: "landlockd_runs_start_timestamp_seconds",
		help: "Time from which on processes that end are counted, in seconds since the epoch: " +
			"nothing that ended before is in landlock_runs_total.",
		present: ifEnded,
		values:  func(r *Runs, emit emitter) { emit(unixSeconds(r.Since)) },
	},
	{
		name: "landlockd_run_records_lost_total",
		help: "Processes that ended of which only a sum was kept: their executable or workload " +
			"is not known, or (if the kernel skipped landlockd's programs) they are not counted.",
		present: ifEnded,
		values:  func(r *Runs, emit emitter) { emit(float64(r.Lost)) },
	},
})

// workloads emits names that are the same label as one.
func (r *Runs) workloads(emit emitter) {
	byLabel := map[string]WorkloadRuns{}
	for _, w := range r.Workloads {
		sum := byLabel[clean(w.Name)]
		sum.Unsandboxed += w.Unsandboxed
		sum.Partial += w.Partial
		byLabel[clean(w.Name)] = sum
	}
	for label, w := range byLabel {
		emit(float64(w.Unsandboxed), label, scan.Unsandboxed.String())
		emit(float64(w.Partial), label, scan.Partial.String())
	}
}

// broken emits the first ones. Names that are the same label are one, the latest.
func (r *Runs) broken(emit emitter) {
	type key struct{ rule, workload string }
	latest := map[key]Broken{}
	for _, b := range r.Broken {
		k := key{b.Rule, clean(b.Workload)}
		was, there := latest[k]
		if there && was.Ended.After(b.Ended) || !there && len(latest) == MaxBroken {
			continue
		}
		latest[k] = b
	}
	for k, b := range latest {
		emit(unixSeconds(b.Ended), k.rule, b.Severity, k.workload)
	}
}
