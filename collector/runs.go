// SPDX-License-Identifier: Apache-2.0

package collector

import "time"

// Runs are counts of processes that ended since Since.
type Runs struct {
	// Since is when counting began.
	Since time.Time
	// Ended are the runs by state, and Launches what ended by execve(2), by the words of
	// scan.State.
	Ended, Launches map[string]uint64
	// Workloads are those whose runs are counted apart, and "other".
	Workloads []WorkloadRuns
	// Rules are those that some run was about since the rule was first loaded.
	Rules []RuleRuns
	// Broken are the last violations, one for each rule and workload.
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
	Name                                 string
	Compliant, Violating, Short, Unknown uint64
}

// Broken is when a run of a workload that violated a rule ended.
type Broken struct {
	Rule, Severity, Workload string
	Ended                    time.Time
}
