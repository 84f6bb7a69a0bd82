// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// Ended is what ended, as a snapshot that [scan.Snapshot.ConcludeEnded] made: each of its processes
// as it was at its end, and as old as it is known to have become.
type Ended struct {
	*scan.Snapshot
	// Launch reports of a process whether it executed another program, by its place.
	Launch func(place int) bool
	// Below reports of a process whether it may have been in a cgroup below its own, too.
	Below func(place int) bool
}

// Ended calls f with what each rule finds of what ended. Of one that ended within its rule's
// grace and was not as expected it is Starting, which [Result.OfRun] calls short, or Violating,
// if the rule asks for that. A launch is judged only beyond the grace. What is not known of
// what ended, as its command line and its ancestors, is unknown to rules.
func (e *Evaluator) Ended(ended Ended, f func(place int, v Verdict)) {
	e.begin(ended.Snapshot)
	e.ended = &ended
	e.group(&Evaluation{ruled: make([]bool, len(ended.Workloads))})
	for i, n := range e.groupOf {
		if n == noGroup {
			continue
		}
		g, launch := &e.groups[n], ended.Launch(i)
		for _, rules := range [...][]ruleLevel{g.matched.rules.rules, g.asked} {
			for _, r := range rules {
				if v, judged := e.endedVerdict(r, g, launch); judged {
					f(i, v)
				}
			}
		}
	}
	e.end()
}

// endedVerdict returns what a rule finds of a group that ended, and whether it judges that.
func (e *Evaluator) endedVerdict(r ruleLevel, g *group, launch bool) (v Verdict, judged bool) {
	n, l := r.split()
	v = Verdict{Rule: &e.config.Rules[n], Result: Unknown}
	if l == yes {
		v.Result, v.Reason = e.judge(r, g)
	}
	if v.Result == Starting && v.Rule.ShortRunsViolate {
		if v.Result = Violating; e.accepts(r) {
			v.Result = Waived
		}
	}
	return v, l >= likely && !(launch && g.age < v.Rule.Grace)
}

// OfRun returns the word for a result of what ended.
func (r Result) OfRun() string {
	if r == Starting {
		return "short"
	}
	return r.String()
}

// MaxGraces is how many graces are distinguished of what ended.
const MaxGraces = 31

// Graces returns those of the rules that are more than 0, ascending and each once, at most
// MaxGraces. If there are more, some are left out, never the longest: what ended must have
// reached the next longer one to violate a rule that has such a one.
func (c *Config) Graces() []time.Duration {
	all := c.allGraces()
	if len(all) <= MaxGraces {
		return all
	}
	some := make([]time.Duration, MaxGraces)
	for i := range some {
		some[i] = all[(i+1)*len(all)/MaxGraces-1]
	}
	return some
}

func (c *Config) allGraces() []time.Duration {
	var graces []time.Duration
	for i := range c.Rules {
		if g := c.Rules[i].Grace; g > 0 {
			graces = append(graces, g)
		}
	}
	slices.Sort(graces)
	return slices.Compact(graces)
}

// manyGraces returns a warning if not all graces are distinguished.
func (c *Config) manyGraces(file string) []Problem {
	n := len(c.allGraces())
	if n <= MaxGraces {
		return nil
	}
	return []Problem{{File: file, Message: fmt.Sprintf("the rules have %d graces, and of processes "+
		"that ended only %d are distinguished: some count as short until they reach the next "+
		"longer one", n, MaxGraces)}}
}

// UsesComm reports whether a rule looks at the names that processes give themselves.
func (c *Config) UsesComm() bool { return c.seenBy().given[KeyComm] }
