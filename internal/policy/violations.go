// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/order"
)

const (
	// maxListed bounds how often a process is counted in a listed violation,
	// over all rules but the first one with any.
	maxListed = 16384
	// maxPIDs is the length of Violation.PIDs.
	maxPIDs = 8
)

// violationKey is what the processes of one Violation have in common.
type violationKey struct {
	rule     int32
	reason   Reason
	workload string
}

// evaluation puts together what was added up.
func (e *Evaluator) evaluation(r *Evaluation) {
	r.Loaded = len(e.config.Rules)
	n := 0
	for i := range e.tallies {
		if t := &e.tallies[i]; t.certain+t.likely > 0 {
			e.applied[i] = true
		}
		if e.applied[i] {
			r.Applied++
		}
		if e.speaks(int32(i)) {
			n++
		}
	}
	r.Rules = make([]RuleEvaluation, 0, n)
	violations := e.violations(r)
	now := uptime(e.snap)
	for i := range e.config.Rules {
		t, rule := &e.tallies[i], &e.config.Rules[i]
		if !e.speaks(int32(i)) {
			if e.options.Unmatched {
				applies := access.No
				if t.doubtful > 0 || e.snap.Source.PIDNS == "nested" {
					applies = access.Unknown
				}
				r.Unmatched = append(r.Unmatched, Unmatched{rule, applies})
			}
			continue
		}
		out := RuleEvaluation{
			Rule: rule, Applied: e.applied[i], Processes: t.processes, First: t.first,
			Violated: t.processes[Violating] > 0, Violations: violations[int32(i)],
			Accepts: rule.Accepts(e.at),
		}
		e.count(&out, t, now, e.accepted[i])
		out.Since = e.violatedSince(i, &out)
		r.Rules = append(r.Rules, out)
	}
}

// violatedSince returns since when a rule is violated, as [RuleEvaluation.Since] says.
func (e *Evaluator) violatedSince(i int, r *RuleEvaluation) (since uint64) {
	if r.Processes[Violating] > 0 {
		since = e.tallies[i].violating
	}
	few := slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Reason == TooFew })
	switch {
	case !few:
		e.tooFew[i] = 0
	case e.tooFew[i] == 0:
		e.tooFew[i] = uint64(uptime(e.snap))
	}
	if few && (since == 0 || e.tooFew[i] < since) {
		since = e.tooFew[i]
	}
	return since
}

// count reports whether there are as many processes as a rule needs.
func (e *Evaluator) count(r *RuleEvaluation, t *tally, now time.Duration, accepted bool) {
	missing := r.Rule.MinProcesses - t.certain
	switch {
	case missing <= 0:
	case t.likely+t.doubtful >= missing, e.snap.Source.PIDNS == "nested", e.snap.Part:
		// Those may be what is missing; or they are where the source does
		// not look.
		r.CountUnknown = true
		// Of those that it may be about, so many are counted. Those that it is likely
		// about are counted already.
		r.Processes[Unknown] += max(0, min(t.doubtful, missing-t.likely))
	case now < r.Rule.Grace:
		// The host has just been started: no process could be older.
	case accepted:
		r.MissingWaived = missing
	default:
		r.Violated = true
		r.Violations = append(r.Violations, Violation{Reason: TooFew, Processes: missing})
	}
}

// violations returns those of the rules that come first, as far as there is room, by
// rule; of each by reason and workload. It puts into the result who violates them.
func (e *Evaluator) violations(r *Evaluation) map[int32][]Violation {
	left := maxListed
	for i := range e.tallies {
		t := &e.tallies[i]
		n := t.processes[Violating]
		if t.list = n > 0 && (n <= left || left == maxListed); t.list {
			left -= n
		}
	}
	if left == maxListed {
		return nil
	}
	ofGroup, verdicts := make([][]violationKey, len(e.groups)), make([][]Verdict, len(e.groups))
	for i := range e.groups {
		g := &e.groups[i]
		if !g.violating {
			continue
		}
		ofGroup[i] = e.violatedBy(g)
		for _, k := range ofGroup[i] {
			verdicts[i] = append(verdicts[i], Verdict{&e.config.Rules[k.rule], Violating, k.reason})
		}
	}
	byRule := map[int32][]Violation{}
	at := map[violationKey]int{}
	for i, g := range e.groupOf {
		if g == noGroup {
			continue
		}
		p := &e.snap.Processes[i]
		if len(ofGroup[g]) > 0 && len(r.Violators) < MaxViolators {
			r.Violators = append(r.Violators, Violator{p.PID, p.Start, verdicts[g]})
		}
		for _, k := range ofGroup[g] {
			if w := e.snap.WorkloadOf(p); w != nil {
				k.workload = w.Name
			}
			n, ok := at[k]
			if !ok {
				n = len(byRule[k.rule])
				at[k] = n
				byRule[k.rule] = append(byRule[k.rule], Violation{Reason: k.reason, Workload: k.workload})
			}
			v := &byRule[k.rule][n]
			if v.Processes++; v.Processes <= maxPIDs {
				v.PIDs = append(v.PIDs, p.PID)
			}
		}
	}
	for _, of := range byRule {
		order.By(of, func(a, b Violation) int {
			return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Workload, b.Workload))
		})
	}
	return byRule
}

// violatedBy returns the listed rules that a group violates and why, without the
// workload.
func (e *Evaluator) violatedBy(g *group) []violationKey {
	var keys []violationKey
	for _, rules := range [...][]ruleLevel{g.matched.rules.rules, g.asked} {
		for _, r := range rules {
			n, l := r.split()
			if l != yes || !e.tallies[n].list {
				continue
			}
			if result, reason := e.judge(r, g); result == Violating {
				keys = append(keys, violationKey{rule: n, reason: reason})
			}
		}
	}
	return keys
}
