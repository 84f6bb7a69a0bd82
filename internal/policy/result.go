// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// Result is what a rule finds of a process.
type Result uint8

const (
	// Compliant: it is as it should be.
	Compliant Result = iota
	// Violating: it is not.
	Violating
	// Starting: it is not, but it is younger than the rule's grace.
	Starting
	// Unknown: it is not known.
	Unknown
	// Waived: it is not, which is accepted until some day: see [Accept].
	Waived
	// NumResults is the number of results.
	NumResults
)

// Results returns every result, in the order in which people read them.
func Results() [NumResults]Result {
	return [...]Result{Compliant, Violating, Starting, Unknown, Waived}
}

func (r Result) String() string {
	return [...]string{"compliant", "violating", "starting", "unknown", "waived"}[r%NumResults]
}

// Met reports whether the expectation is met.
func (r Result) Met() access.Answer {
	// Otherwise access.Unknown.
	return [NumResults]access.Answer{Compliant: access.Yes, Violating: access.No, Waived: access.No}[r%NumResults]
}

// MarshalText encodes the word.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Reason is why a process violates a rule, or why a rule is violated. The first one
// that holds is given.
type Reason uint8

const (
	// NoReason belongs to what is compliant.
	NoReason Reason = iota
	// LandlockDisabled: this kernel sandboxes nothing.
	LandlockDisabled
	// Unsandboxed: no task is in a domain.
	Unsandboxed
	// Partial: some tasks are in no domain.
	Partial
	// RestrictsNothing: no right is restricted in every task that is in a domain.
	RestrictsNothing
	// TooShallow: a task's depth is less than min_depth.
	TooShallow
	// TooDeep: a task's depth is more than max_depth.
	TooDeep
	// RightNotRestricted: some task is not restricted in a right.
	RightNotRestricted
	// WithinReach: Landlock does not keep it from an asset.
	WithinReach
	// OutsideWorker: a worker of it may act outside of its domains.
	OutsideWorker
	// Sandboxed: some task is in a domain, and none should be.
	Sandboxed
	// TooFew: there are fewer processes than min_processes.
	TooFew
	numReasons
)

// reasons are the words, by value. It is never written.
var reasons = [numReasons]string{
	"", "landlock_disabled", "unsandboxed", "partial", "restricts_nothing", "too_shallow", "too_deep",
	"right_not_restricted", "within_reach", "outside_worker", "sandboxed", "too_few",
}

func (r Reason) String() string { return reasons[r%numReasons] }

// MarshalText encodes the word; empty for NoReason.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Evaluation is the results of all rules for one snapshot. It is never changed.
type Evaluation struct {
	// Rules are the rules that have a result, in the order of
	// [Config.Rules]: those that applied since the rules were loaded, in this
	// snapshot or an earlier one, and those that need a process.
	Rules []RuleEvaluation
	// Unmatched are all others, in the same order, if [Options] ask for them.
	Unmatched []Unmatched
	// Loaded is the number of rules, Applied of those that applied.
	Loaded, Applied int
	// About are the processes that some rule is about, or likely so, ascending.
	About []int32
	// Violators are the processes that violate listed rules, ascending, at most
	// MaxViolators.
	Violators []Violator
	// Undecided are those of which it is not known whether some rule is about them, by
	// the reason. They change rules' results in one way only: it may not be known
	// whether there are too few.
	Undecided []Undecided
	// ByWorkload has by the name of a workload what rules find of its processes, of those
	// that are about some; nil unless [Options] ask for it.
	ByWorkload map[string][]RuleResult
	// ruled reports for each of the snapshot's workloads, which ascend by name,
	// whether a rule is about some process of it.
	ruled     []bool
	workloads []scan.Workload
}

// HasRule reports whether a rule is about some process of the workloads of a name.
func (r *Evaluation) HasRule(workload string) bool {
	i, _ := slices.BinarySearchFunc(r.workloads, workload, func(w scan.Workload, name string) int {
		return strings.Compare(w.Name, name)
	})
	for ; i < len(r.workloads) && r.workloads[i].Name == workload; i++ {
		if r.ruled[i] {
			return true
		}
	}
	return false
}

// Violated reports whether some rule is.
func (r *Evaluation) Violated() bool {
	return slices.ContainsFunc(r.Rules, func(r RuleEvaluation) bool { return r.Violated })
}

// Waived reports whether some rule's violation is accepted.
func (r *Evaluation) Waived() bool {
	return slices.ContainsFunc(r.Rules, func(r RuleEvaluation) bool { return r.Waived() })
}

// Open reports whether something is not known that may be a violation.
func (r *Evaluation) Open() bool {
	return slices.ContainsFunc(r.Rules, func(r RuleEvaluation) bool {
		return r.Processes[Unknown] > 0 || r.CountUnknown
	})
}

// RuleEvaluation is the result of one rule.
type RuleEvaluation struct {
	Rule *Rule
	// Applied reports whether the rule was about some process since it was loaded.
	Applied bool
	// Processes are the numbers of processes by [Result].
	Processes [NumResults]int
	// First are the lowest PIDs by [Result], or 0: of processes that the rule is
	// about, and of those that it is likely about, which are all Unknown.
	First [NumResults]int32
	// Violated: a process violates the rule, or there are too few.
	Violated bool
	// Since is when the oldest process was started that violates it; where there are too few,
	// the time of the first of the scans in a row that found so, if that is earlier. In
	// nanoseconds since boot, as starts are: who sets the clock does not move it. 0 if it is not
	// violated.
	Since uint64
	// Accepts are the rule's waivers that are in force, the first to end first.
	Accepts []*Accept
	// MissingWaived is how many processes are missing, if that is accepted.
	MissingWaived int
	// CountUnknown: it is not known whether there are too few.
	CountUnknown bool
	// Violations are ordered by reason and then by workload. A snapshot has at
	// most maxViolations: where it would have more, rules at the end have
	// none, and only Violated and Processes show it.
	Violations []Violation
}

// Waived reports whether a violation is accepted.
func (r *RuleEvaluation) Waived() bool { return r.Processes[Waived] > 0 || r.MissingWaived > 0 }

// Verdict is what a rule finds of a process.
type Verdict struct {
	Rule   *Rule
	Result Result
	Reason Reason
}

// OfSameRule reports whether another one is of a rule of the same name.
func (v Verdict) OfSameRule(o Verdict) bool { return v.Rule.Name == o.Rule.Name }

// MaxViolators is the length of Evaluation.Violators.
const MaxViolators = 4096

// Violator is a process that violates rules.
type Violator struct {
	PID   int32
	Start uint64
	// Verdicts are of the rules that it violates, first those that look at no command
	// line. It is shared.
	Verdicts []Verdict
}

// Unmatched is a rule without a result: it was about no process, as far as is
// known, and needs none.
type Unmatched struct {
	Rule *Rule
	// Applies reports whether it is about a process: No, or Unknown, if that is not
	// known of some process, or not all of the host is seen.
	Applies access.Answer
}

// Violation is one reason for which processes of one workload violate a rule.
type Violation struct {
	Reason Reason
	// Workload is the folded name; empty for TooFew, and where it is not known.
	Workload string
	// Processes is how many there are; for TooFew, how many are missing.
	Processes int
	// PIDs are the lowest of theirs, at most 8.
	PIDs []int32
}
