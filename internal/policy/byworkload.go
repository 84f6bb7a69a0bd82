// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"

	"github.com/landlockd/landlockd/internal/order"
)

// RuleResult is what one rule finds of the processes of one workload.
type RuleResult struct {
	Rule *Rule
	// Processes are the numbers of processes by [Result], at least one.
	Processes [NumResults]int
}

// Result returns the worst one: Violating, Unknown, Waived, Starting or Compliant.
func (r *RuleResult) Result() Result {
	for _, worst := range [...]Result{Violating, Unknown, Waived, Starting} {
		if r.Processes[worst] > 0 {
			return worst
		}
	}
	return Compliant
}

// byWorkload returns the rules that are about processes of each workload, by its name, in
// the order of their names.
func (e *Evaluator) byWorkload() map[string][]RuleResult {
	type place struct {
		workload string
		rule     int32
	}
	all, at := map[string][]RuleResult{}, map[place]int{}
	for i, n := range e.groupOf {
		w := e.snap.WorkloadOf(&e.snap.Processes[i])
		if n == noGroup || w == nil {
			continue
		}
		g := &e.groups[n]
		for _, rules := range [...][]ruleLevel{g.matched.rules.rules, g.asked} {
			for _, r := range rules {
				rule, l := r.split()
				if l < likely {
					continue
				}
				result := Unknown
				if l == yes {
					result, _ = e.judge(r, g)
				}
				k := place{w.Name, rule}
				nth, found := at[k]
				if !found {
					nth = len(all[w.Name])
					at[k] = nth
					all[w.Name] = append(all[w.Name], RuleResult{Rule: &e.config.Rules[rule]})
				}
				all[w.Name][nth].Processes[result]++
			}
		}
	}
	for _, of := range all {
		order.By(of, func(a, b RuleResult) int { return cmp.Compare(a.Rule.Name, b.Rule.Name) })
	}
	return all
}
