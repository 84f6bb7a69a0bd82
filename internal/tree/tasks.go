// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"iter"
	"strconv"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

const (
	// maxGroups and maxTIDs bound what a process with thousands of threads,
	// each in a domain of its own, adds to a tree. Options.All lifts the first.
	maxGroups = 8
	maxTIDs   = 6
)

// taskGroup is those tasks of a process that are alike.
type taskGroup struct {
	alike
	tids []int32
}

// alike is what the tasks of a group have in common.
type alike struct {
	// task has only this of each: state, reason, domain, depth and whether that is exact.
	task scan.Task
	// ineffective: they are in a domain that restricts them in no right.
	ineffective bool
}

// groupTasks groups tasks that are alike, by the lowest TID in each group.
func groupTasks(m *domainid.Meaning, tasks []scan.Task) []taskGroup {
	number := map[alike]int{}
	var groups []taskGroup
	for _, t := range tasks {
		k := alike{task: scan.Task{State: t.State, Reason: t.Reason, Domain: t.Domain,
			Depth: t.Depth, DepthExact: t.DepthExact}}
		if t.State == scan.Sandboxed {
			sandbox := m.Task(t.Domain, t.View, t.Depth, t.DepthExact)
			k.ineffective = sandbox.Effective() == access.No
		}
		i, found := number[k]
		if !found {
			i = len(groups)
			number[k] = i
			groups = append(groups, taskGroup{alike: k})
		}
		groups[i].tids = append(groups[i].tids, t.TID)
	}
	return groups
}

// tasks writes a line for each group of tasks of p, if there are several.
func (t *treeWriter) tasks(p *scan.Process, front string) {
	groups := groupTasks(t.means, t.s.TasksOf(p))
	if len(groups) < 2 {
		return
	}
	limit := maxGroups
	if t.o.All || len(groups) == maxGroups+1 {
		limit = len(groups)
	}
	for _, g := range groups[:min(limit, len(groups))] {
		t.group(g, front)
	}
	if len(groups) > limit {
		left := 0
		for _, g := range groups[limit:] {
			left += len(g.tids)
		}
		t.detail("", "", "", front+plural.Count(left, "thread")+" more",
			fmt.Sprintf(", in %d more groups", len(groups)-limit))
	}
}

func (t *treeWriter) group(g taskGroup, front string) {
	depth, id, where := "0", "-", "in no domain"
	switch g.task.State {
	case scan.Unknown:
		depth, id, where = "?", "?", "unknown"
		if g.task.Reason != scan.NoReason {
			where += " [" + g.task.Reason.String() + "]"
		}
	case scan.Sandboxed:
		depth, id = depthText(g.task.Depth, g.task.DepthExact), "?"
		where = "in a domain that is not known"
		if d := t.s.DomainOf(g.task); d >= 0 {
			id = idText(t.s.Domains[d].ID)
			where = "in " + id
		}
	}
	state := g.task.State.String()
	if g.ineffective {
		state = facts.Ineffective
	}
	t.detail(state, depth, id, front+plural.Count(len(g.tids), "thread")+" "+where,
		" ("+plural.First(g.tids, maxTIDs)+")")
}

// workers writes a line for the workers of p that may act outside of its domains,
// and one for those of which that is not known.
func (t *treeWriter) workers(p *scan.Process, front string) {
	for text, tids := range outsideWorkers(t.s, p) {
		t.detail("", "", "", front+text, ": "+plural.First(tids, maxTIDs))
	}
}

// outsideWorkers names, "1 worker outside", those of a sandboxed process that may act
// outside of its domains, and those that perhaps may, if there are any.
func outsideWorkers(s *scan.Snapshot, p *scan.Process) iter.Seq2[string, []int32] {
	return func(yield func(string, []int32) bool) {
		if p.State != scan.Sandboxed || s.OutsideWorker(p) == access.No {
			return
		}
		outside, perhaps := facts.OutsideWorkers(s, p)
		if n := len(outside); n > 0 && !yield(plural.Count(n, "worker")+" outside", outside) {
			return
		}
		if n := len(perhaps); n > 0 {
			yield(plural.Count(n, "worker")+" perhaps outside", perhaps)
		}
	}
}

// depthText is the depth of what is in a domain, so at least 1.
func depthText(depth uint16, exact bool) string {
	text := strconv.Itoa(int(max(1, depth)))
	if !exact {
		text = ">=" + text
	}
	return text
}
