// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
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
	first scan.Task
	// ineffective: they are in a domain that restricts them in no right.
	ineffective bool
	tids        []int32
}

// groupTasks groups tasks that are alike, by the lowest TID in each group.
func groupTasks(m *domainid.Meaning, tasks []scan.Task) []taskGroup {
	type key struct {
		state       scan.State
		reason      scan.Reason
		domain      int32
		depth       uint16
		exact       bool
		ineffective bool
	}
	number := map[key]int{}
	var groups []taskGroup
	for _, t := range tasks {
		idle := false
		if t.State == scan.Sandboxed {
			sandbox := m.Task(t.Domain, t.View, t.Depth, t.DepthExact)
			idle = sandbox.Effective() == access.No
		}
		k := key{t.State, t.Reason, t.Domain, t.Depth, t.DepthExact, idle}
		i, found := number[k]
		if !found {
			i = len(groups)
			number[k] = i
			groups = append(groups, taskGroup{first: t, ineffective: idle})
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
	left := 0
	for i := range groups {
		if i >= limit {
			left += len(groups[i].tids)
			continue
		}
		t.group(&groups[i], front)
	}
	if left > 0 {
		t.columnsOf("", "", "", "")
		fmt.Fprintf(t.w, "%s%s more, in %d more groups\n", front, plural.Count(left, "thread"),
			len(groups)-limit)
	}
}

func (t *treeWriter) group(g *taskGroup, front string) {
	depth, id, where := "0", "-", "in no domain"
	d := t.s.DomainOf(g.first)
	switch {
	case g.first.State == scan.Unknown:
		depth, id, where = "?", "?", "unknown"
		if g.first.Reason != scan.NoReason {
			where += " [" + g.first.Reason.String() + "]"
		}
	case g.first.State == scan.Sandboxed && d < 0:
		depth, id, where = taskDepthText(&g.first), "?", "in a domain that is not known"
	case g.first.State == scan.Sandboxed:
		depth, id = taskDepthText(&g.first), idText(t.s.Domains[d].ID)
		where = "in " + id
	}
	state := g.first.State.String()
	if g.ineffective {
		state = ineffective
	}
	t.columnsOf("", state, depth, id)
	fmt.Fprintf(t.w, "%s%s %s (%s)\n", front, plural.Count(len(g.tids), "thread"), where,
		plural.First(g.tids, maxTIDs))
}

// workers writes a line for the workers of p that may act outside of its domains,
// and one for those of which that is not known.
func (t *treeWriter) workers(p *scan.Process, front string) {
	for _, w := range outsideWorkers(t.s, p) {
		t.columnsOf("", "", "", "")
		fmt.Fprintf(t.w, "%s%s: %s\n", front, w.text(), plural.First(w.tids, maxTIDs))
	}
}

// workerGroup is those workers of a process that may act outside of its domains, or
// those that perhaps may.
type workerGroup struct {
	perhaps bool
	tids    []int32
}

// text is "1 worker outside".
func (g *workerGroup) text() string {
	where := " outside"
	if g.perhaps {
		where = " perhaps outside"
	}
	return plural.Count(len(g.tids), "worker") + where
}

// outsideWorkers returns both groups of a sandboxed process, without an empty one.
func outsideWorkers(s *scan.Snapshot, p *scan.Process) []*workerGroup {
	if p.State != scan.Sandboxed || s.OutsideWorker(p) == access.No {
		return nil
	}
	outside, perhaps := &workerGroup{}, &workerGroup{perhaps: true}
	for i := range s.WorkersOf(p) {
		w := &s.WorkersOf(p)[i]
		switch s.Outside(p, w) {
		case access.Yes:
			outside.tids = append(outside.tids, w.TID)
		case access.Unknown:
			perhaps.tids = append(perhaps.tids, w.TID)
		}
	}
	return slices.DeleteFunc([]*workerGroup{outside, perhaps},
		func(g *workerGroup) bool { return len(g.tids) == 0 })
}

func taskDepthText(t *scan.Task) string {
	depth := strconv.Itoa(max(1, int(t.Depth)))
	if !t.DepthExact {
		return ">=" + depth
	}
	return depth
}

func domainDepthText(d *domainid.Domain) string {
	if d.Lineage != domainid.LineageKnown {
		return fmt.Sprintf(">=%d", max(1, d.Depth))
	}
	return strconv.Itoa(int(max(1, d.Depth)))
}
