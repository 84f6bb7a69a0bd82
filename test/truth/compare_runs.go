// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"slices"
	"time"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// runKey is what is compared of ends that are counted together.
type runKey struct {
	kind  runs.Kind
	group int
	Answer
}

func (k runKey) String() string {
	return fmt.Sprintf("ends by %v in group %d, %s at depth %d (handled %v), %s, uid %d", k.kind, k.group, k.State, k.Depth, k.Handled, k.Exe, k.UID)
}

// CompareRuns returns every point in which what was drained, by a feed that was asked for
// these ages, contradicts the truth. Cells of other cgroups are left alone. It is a pure
// function.
func CompareRuns(cells []runs.Cell, truth *Runs, ages []time.Duration) []string {
	c := &runComparison{truth: truth, got: map[runKey]int{}, ages: map[ageKey]int{}}
	for i := range cells {
		c.cell(&cells[i])
	}
	c.exact()
	c.loose()
	for _, age := range ages {
		c.minAge(age)
	}
	slices.Sort(c.found)
	return c.found
}

type runComparison struct {
	truth *Runs
	// got is what was counted; what is explained is taken away.
	got   map[runKey]int
	ages  map[ageKey]int
	found []string
}

type ageKey struct {
	kind  runs.Kind
	group int
	min   time.Duration
}

func (c *runComparison) failed(format string, args ...any) {
	c.found = append(c.found, fmt.Sprintf(format, args...))
}

// groupOf returns the cgroup that a cell is of; -1 if it is of none of them.
func (c *runComparison) groupOf(cell *runs.Cell) int {
	for i, g := range c.truth.groups {
		if g.V2 != 0 && cell.CgroupID == g.V2 || g.V1 != 0 && cell.CgroupV1ID == g.V1 {
			return i
		}
	}
	return -1
}

func (c *runComparison) cell(cell *runs.Cell) {
	group := c.groupOf(cell)
	if group < 0 {
		return
	}
	g, key := &c.truth.groups[group], runKey{kind: cell.Kind, group: group, Answer: Answer{
		State: cell.State, Depth: cell.Depth, Exe: cell.Exe, UID: cell.UID, Handled: cell.Handled,
	}}
	if cell.CgroupID != g.V2 || cell.Cgroup != g.Path {
		c.failed("%d %v are in the cgroup %d (%q), want %d (%q)",
			cell.Count, key, cell.CgroupID, cell.Cgroup, g.V2, g.Path)
	}
	if g.V1 != 0 && (cell.CgroupV1ID != g.V1 || cell.CgroupV1 != g.Path) {
		c.failed("%d %v are in the v1 cgroup %d (%q), want %d (%q)",
			cell.Count, key, cell.CgroupV1ID, cell.CgroupV1, g.V1, g.Path)
	}
	if cell.Folded || cell.ExeCut || cell.ExeDeleted || cell.ExeOrigin != scan.OfHost {
		c.failed("%d %v: folded %v, cut %v, deleted %v, origin %v", cell.Count, key,
			cell.Folded, cell.ExeCut, cell.ExeDeleted, cell.ExeOrigin)
	}
	c.got[key] += int(cell.Count)
	c.ages[ageKey{cell.Kind, group, cell.MinAge}] += int(cell.Count)
	c.last(cell, key)
}

// last looks for the end that a cell names as its last one.
func (c *runComparison) last(cell *runs.Cell, key runKey) {
	l := &cell.Last
	for i := range c.truth.Ends {
		e := &c.truth.Ends[i]
		if e.Kind == key.kind && e.Group == key.group && (e.PID == l.PID || e.PID == 0) &&
			l.Start >= e.BornFrom && l.Start <= e.BornTo && l.End >= e.AtFrom && l.End <= e.AtTo &&
			slices.Contains(e.Can, key.Answer) {
			return
		}
	}
	c.failed("%d %v: the last one is %+v, which is none of them", cell.Count, key, *l)
}

func (e *End) key(answer int) runKey {
	return runKey{e.Kind, e.Group, e.Can[answer]}
}

// exact takes away what is certain.
func (c *runComparison) exact() {
	want := map[runKey]int{}
	for i := range c.truth.Ends {
		if e := &c.truth.Ends[i]; len(e.Can) == 1 {
			want[e.key(0)]++
		}
	}
	for k, n := range want {
		if c.got[k] < n {
			c.failed("%d %v were counted, want %d at least", c.got[k], k, n)
			n = c.got[k]
		}
		c.got[k] -= n
	}
}

// loose finds for each end that has several answers one that was counted, so that no count
// is left: augmenting paths.
func (c *runComparison) loose() {
	taken := map[runKey][]*End{}
	var assign func(e *End, seen map[runKey]bool) bool
	assign = func(e *End, seen map[runKey]bool) bool {
		for i := range e.Can {
			k := e.key(i)
			if seen[k] {
				continue
			}
			seen[k] = true
			if len(taken[k]) < c.got[k] {
				taken[k] = append(taken[k], e)
				return true
			}
			for j, other := range taken[k] {
				if assign(other, seen) {
					taken[k][j] = e
					return true
				}
			}
		}
		return false
	}
	for i := range c.truth.Ends {
		e := &c.truth.Ends[i]
		if len(e.Can) > 1 && !assign(e, map[runKey]bool{}) {
			c.failed("one of %d answers was not counted: %v", len(e.Can), e.key(0))
		}
	}
	for k, n := range c.got {
		if n > len(taken[k]) {
			c.failed("%d %v were counted beyond the truth", n-len(taken[k]), k)
		}
	}
}

// minAge compares how many had reached an age with how many can have.
func (c *runComparison) minAge(age time.Duration) {
	type place struct {
		kind  runs.Kind
		group int
	}
	least, most, got := map[place]int{}, map[place]int{}, map[place]int{}
	for i := range c.truth.Ends {
		e := &c.truth.Ends[i]
		at := place{e.Kind, e.Group}
		if e.AtFrom >= e.BornTo+uint64(age) {
			least[at]++
		}
		if e.AtTo >= e.BornFrom+uint64(age) {
			most[at]++
		}
	}
	for k, n := range c.ages {
		if k.min >= age {
			got[place{k.kind, k.group}] += n
		}
	}
	for group := range c.truth.groups {
		for _, kind := range []runs.Kind{runs.Run, runs.Launch} {
			at := place{kind, group}
			if got[at] < least[at] || got[at] > most[at] {
				c.failed("%d ends by %v in group %d had reached an age of %v, want %d to %d",
					got[at], kind, group, age, least[at], most[at])
			}
		}
	}
}
