// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"maps"
	"slices"
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/policy"
)

// judged adds up what rules found of what ended.
type judged struct {
	config *policy.Config
	// rules are those in force, by name.
	rules  map[string]*policy.Rule
	counts map[string]*[policy.NumResults]uint64 // by policy.Result
	broken map[brokenKey]time.Time
}

type brokenKey struct{ rule, workload string }

func newJudged() judged {
	return judged{counts: map[string]*[policy.NumResults]uint64{}, broken: map[brokenKey]time.Time{}}
}

// follow keeps what was found by rules that have the same name in another configuration.
func (j *judged) follow(c *policy.Config) {
	j.config, j.rules = c, map[string]*policy.Rule{}
	for i := range c.Rules {
		j.rules[c.Rules[i].Name] = &c.Rules[i]
	}
	gone := func(name string) bool { return j.rules[name] == nil }
	maps.DeleteFunc(j.counts, func(name string, _ *[policy.NumResults]uint64) bool { return gone(name) })
	maps.DeleteFunc(j.broken, func(k brokenKey, _ time.Time) bool { return gone(k.rule) })
}

// inForce returns the verdicts of rules that are in force. It changes the list.
func (j *judged) inForce(list []policy.Verdict) []policy.Verdict {
	return slices.DeleteFunc(list, func(v policy.Verdict) bool { return j.rules[v.Rule.Name] == nil })
}

// add counts what was found of runs of a workload, the last of which ended at a time, and
// reports whether they broke a rule.
func (j *judged) add(found []policy.Verdict, count uint64, workload string, at time.Time) (broke bool) {
	for _, v := range found {
		n := j.counts[v.Rule.Name]
		if n == nil {
			n = new([policy.NumResults]uint64)
			j.counts[v.Rule.Name] = n
		}
		n[v.Result] += count
		if v.Result == policy.Violating {
			broke = true
			j.note(brokenKey{v.Rule.Name, workload}, at)
		}
	}
	return broke
}

// note notes when a rule was broken.
func (j *judged) note(k brokenKey, at time.Time) {
	if at.After(j.broken[k]) {
		j.broken[k] = at
	}
	if len(j.broken) <= collector.MaxBroken {
		return
	}
	// Of the rule with most the oldest goes, so that no rule takes the room of others.
	each := map[string]int{}
	for k := range j.broken {
		each[k.rule]++
	}
	var oldest brokenKey
	for k, at := range j.broken {
		if n := each[k.rule] - each[oldest.rule]; n > 0 || n == 0 && at.Before(j.broken[oldest]) {
			oldest = k
		}
	}
	delete(j.broken, oldest)
}

// stats returns what each rule found, in the order of the configuration.
func (j *judged) stats() []collector.RuleRuns {
	all := make([]collector.RuleRuns, 0, len(j.counts))
	for i := range j.config.Rules {
		name := j.config.Rules[i].Name
		if n := j.counts[name]; n != nil {
			all = append(all, collector.RuleRuns{
				Name: name, Compliant: n[policy.Compliant], Violating: n[policy.Violating],
				Short: n[policy.Starting], Unknown: n[policy.Unknown], Waived: n[policy.Waived],
				Accepts: j.config.Rules[i].HasAccept(),
			})
		}
	}
	return all
}

// lastBroken returns when rules were last broken, the latest first.
func (j *judged) lastBroken() []collector.Broken {
	all := make([]collector.Broken, 0, len(j.broken))
	for k, at := range j.broken {
		all = append(all, collector.Broken{
			Rule: k.rule, Severity: j.rules[k.rule].Severity, Workload: k.workload, Ended: at,
		})
	}
	order.By(all, func(a, b collector.Broken) int { return b.Ended.Compare(a.Ended) })
	return all
}
