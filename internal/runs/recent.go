// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"math"
	"slices"
	"time"

	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// recent remembers the last that broke a rule, and the last of all others, each as many: those
// others are most of what ends on most hosts.
type recent struct {
	broke, others []Ended
	added         uint64
}

const maxEach = MaxRecent / 2

// endedOf returns the last stretch of a cell, which ended at a time.
func endedOf(c *Cell, workload string, at time.Time) Ended {
	e := Ended{
		Time: at, Count: c.Count, Kind: c.Kind, PID: c.Last.PID, Start: c.Last.Start,
		Comm: c.Last.Comm.String(), UID: scan.NoUser, Workload: workload, State: c.State & 3,
	}
	if c.Last.Start > 0 && c.Last.End > c.Last.Start {
		e.Age = time.Duration(min(c.Last.End-c.Last.Start, math.MaxInt64))
	}
	if e.State == scan.Sandboxed {
		e.Depth = c.Depth
	}
	if !c.Folded {
		e.Exe, e.ExeCut, e.ExeDeleted, e.ExeOrigin = c.Exe, c.ExeCut, c.ExeDeleted, c.ExeOrigin
		e.UID = c.UID
	}
	return e
}

// add remembers one, with what rules found of it.
func (r *recent) add(e Ended, found []policy.Verdict, broke bool) {
	violates := func(v policy.Verdict) bool { return v.Result == policy.Violating }
	for _, broken := range [...]bool{true, false} {
		for _, v := range found {
			if violates(v) == broken && len(e.Rules) < MaxEndedRules {
				e.Rules = append(e.Rules, EndedRule{
					v.Rule.Name, v.Rule.Severity, v.Result.OfRun(), v.Reason.String(),
				})
			}
		}
	}
	r.added++
	e.number = r.added
	if broke {
		r.broke = append(r.broke, e)
	} else {
		r.others = append(r.others, e)
	}
}

// settle forgets what is too old to be remembered.
func (r *recent) settle() {
	for _, list := range [...]*[]Ended{&r.broke, &r.others} {
		sortByTime(*list)
		if len(*list) > maxEach {
			*list = slices.Clone((*list)[:maxEach]) // what a storm took is given back
		}
	}
}

// all returns those that are remembered, the newest first.
func (r *recent) all() []Ended {
	all := slices.Concat(r.broke, r.others)
	sortByTime(all)
	return all
}

// sortByTime puts the newest first.
func sortByTime(list []Ended) {
	order.StableBy(list, func(a, b Ended) int { return b.Time.Compare(a.Time) })
}
