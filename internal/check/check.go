// SPDX-License-Identifier: Apache-2.0

// Package check reports the results of rules for a snapshot to people and programs.
// All text of others in what it writes is escaped.
package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Answer is what a check comes to.
type Answer uint8

const (
	// Compliant: no rule is violated. A process that is younger than a rule's
	// grace violates nothing yet.
	Compliant Answer = iota
	// Violated: some rule is, whatever else is not known.
	Violated
	// Undecided: something is not known that may violate a rule.
	Undecided
	// Waived: some rule would be violated, and accepts that until some day; no other is.
	Waived
	numAnswers
)

func (a Answer) String() string {
	return [...]string{"compliant", "violated", "unknown", "waived"}[a%numAnswers]
}

// MarshalText encodes the word.
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Of returns what a result comes to. If matches are required, a rule that is about no
// process is violated, too.
func Of(r *policy.Evaluation, requireMatches bool) Answer {
	aboutNone := func(u policy.Unmatched) bool { return u.Applies == access.No }
	switch {
	case r.Violated(), requireMatches && slices.ContainsFunc(r.Unmatched, aboutNone):
		return Violated
	case r.Open(), requireMatches && len(r.Unmatched) > 0:
		return Undecided
	case r.Waived():
		return Waived
	default:
		return Compliant
	}
}

// ofResult is the answer where there is but one process and one expectation.
func ofResult(o policy.Result) Answer {
	// Otherwise Compliant.
	return [policy.NumResults]Answer{
		policy.Violating: Violated, policy.Unknown: Undecided, policy.Waived: Waived,
	}[o%policy.NumResults]
}

// ofRule is what one rule comes to, as a word: as an Answer, or "starting".
func ofRule(r *policy.RuleEvaluation) string {
	switch {
	case r.Violated:
		return Violated.String()
	case r.Processes[policy.Unknown] > 0 || r.CountUnknown:
		return Undecided.String()
	case r.Waived():
		return Waived.String()
	case r.Processes[policy.Starting] > 0:
		return policy.Starting.String()
	default:
		return Compliant.String()
	}
}

// ranked returns the results of rules, the worst first, otherwise in their order.
func ranked(r *policy.Evaluation) []*policy.RuleEvaluation {
	var all []*policy.RuleEvaluation
	for _, word := range [...]string{"violated", "unknown", "waived", "starting", "compliant"} {
		for i := range r.Rules {
			if ofRule(&r.Rules[i]) == word {
				all = append(all, &r.Rules[i])
			}
		}
	}
	return all
}

// summary returns in a few words what all rules come to.
func summary(r *policy.Evaluation) string {
	count, unmatched := map[string]int{}, map[access.Answer]int{}
	for i := range r.Rules {
		count[ofRule(&r.Rules[i])]++
	}
	for _, u := range r.Unmatched {
		unmatched[u.Applies]++
	}
	text := fmt.Sprintf("%d of %s violated", count["violated"], plural.Count(r.Loaded, "rule"))
	add := func(n int, what string) {
		if n > 0 {
			text += fmt.Sprintf(", %d %s", n, what)
		}
	}
	add(count["unknown"], "unknown")
	add(count["waived"], "waived")
	add(count["starting"], "with processes that are too young to be judged")
	add(unmatched[access.No], "about no process here")
	add(unmatched[access.Unknown], "perhaps about none")
	return text
}

// describe returns what a process is.
func describe(s *scan.Snapshot, p *scan.Process, ascii bool) string {
	text := fmt.Sprintf("process %d (%s) is %s",
		p.PID, untrusted.Escape(p.Comm.String(), 0, ascii), p.State)
	switch {
	case p.State == scan.Sandboxed:
		text += fmt.Sprintf(" at depth %d", p.Depth)
	case p.State == scan.Unknown && p.Reason != scan.NoReason:
		text += " (" + p.Reason.String() + ")"
	}
	if at := s.Started(p); !at.IsZero() {
		text += ", started " + localTime(at)
	}
	return text
}

// since returns when a process began to lack what a rule expects; zero if that is
// not known.
func since(s *scan.Snapshot, p *scan.Process, x *policy.Expect, r policy.Reason) time.Time {
	if !x.Lasting(r) {
		return time.Time{}
	}
	return s.Started(p)
}

// localTime is a time as people read it; "-" if it is zero.
func localTime(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Local().Format("2006-01-02 15:04:05")
}

func workloadOf(s *scan.Snapshot, p *scan.Process) string {
	if w := s.WorkloadOf(p); w != nil {
		return w.FullName
	}
	return ""
}
