// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/domainid"
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
	tids  []int32 // at most maxTIDs
	n     int
}

// groupTasks groups tasks that are alike, by the lowest TID in each group.
func groupTasks(tasks []scan.Task) []taskGroup {
	type key struct {
		state  scan.State
		reason scan.Reason
		domain int32
	}
	number := map[key]int{}
	var groups []taskGroup
	for _, t := range tasks {
		k := key{t.State, t.Reason, t.Domain}
		i, found := number[k]
		if !found {
			i = len(groups)
			number[k] = i
			groups = append(groups, taskGroup{first: t})
		}
		g := &groups[i]
		g.n++
		if len(g.tids) < maxTIDs {
			g.tids = append(g.tids, t.TID)
		}
	}
	return groups
}

// tasks writes a line for each group of tasks of p.
func (t *treeWriter) tasks(p *scan.Process, front string) {
	groups := groupTasks(t.s.TasksOf(p))
	limit := maxGroups
	if t.o.All || len(groups) == maxGroups+1 {
		limit = len(groups)
	}
	left := 0
	for i, g := range groups {
		if i >= limit {
			left += g.n
			continue
		}
		t.group(g, front)
	}
	if left > 0 {
		t.columnsOf("", "", "", "")
		fmt.Fprintf(t.w, "%s%s more, in %d more groups\n", front, plural(left, "thread", "threads"), len(groups)-limit)
	}
}

func (t *treeWriter) group(g taskGroup, front string) {
	depth, id, where := "0", "-", "in no domain"
	d := domainOf(t.s, g.first)
	switch {
	case g.first.State == scan.Unknown:
		depth, id, where = "?", "?", "unknown"
		if g.first.Reason != scan.NoReason {
			where += " [" + g.first.Reason.String() + "]"
		}
	case g.first.State == scan.Sandboxed && d < 0:
		depth, id, where = ">=1", "?", "in a domain that is not known"
	case g.first.State == scan.Sandboxed:
		domain := &t.s.Domains[d]
		depth, id = domainDepthText(domain), idText(domain.ID)
		where = "in " + id
	}
	t.columnsOf("", g.first.State.String(), depth, id)
	fmt.Fprintf(t.w, "%s%s %s (%s)\n", front, plural(g.n, "thread", "threads"), where, g.tidText())
}

func (g taskGroup) tidText() string {
	tids := make([]string, len(g.tids))
	for i, tid := range g.tids {
		tids[i] = strconv.Itoa(int(tid))
	}
	text := strings.Join(tids, ", ")
	if more := g.n - len(g.tids); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func domainDepthText(d *domainid.Domain) string {
	if d.Lineage != domainid.LineageKnown {
		return fmt.Sprintf(">=%d", depthOf(d))
	}
	return strconv.Itoa(depthOf(d))
}
