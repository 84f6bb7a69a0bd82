// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// table holds workloads across scans. Snapshots share what it publishes until a
// workload comes or goes.
type table struct {
	fold bool
	rows []row
	of   []scan.Workload // by the number of the row
	exes int             // entries of all cgroup.rows
	find uint64          // number of the current pass over the processes
	used int             // rows with a process in this pass
	same bool            // all of them are published
	// published are the workloads of the last snapshot. It is never written.
	published []scan.Workload
}

// row is what each pass needs of a workload.
type row struct {
	used  uint64 // the last pass with a process in it
	index int32  // in published, or -1
}

// begin starts a pass over all processes.
func (t *table) begin() {
	t.find++
	t.used, t.same = 0, true
}

// use notes that a row has a process, and returns its index in published.
func (t *table) use(n int32) int32 {
	r := &t.rows[n]
	if r.used != t.find {
		r.used = t.find
		t.used++
		t.same = t.same && r.index >= 0
	}
	return r.index
}

// isUsed reports whether a row has a process in the current pass.
func (t *table) isUsed(n int32) bool { return t.rows[n].used == t.find }

// row returns the number of the row of a process in a cgroup.
func (t *table) row(c *cgroup, exe string) int32 {
	if c.row >= 0 {
		return c.row
	}
	if c.facts.Name != "" {
		c.row = t.add(c, c.facts.Name, c.facts.FullName)
		return c.row
	}
	if n, ok := c.rows[exe]; ok {
		return n
	}
	name, full := c.facts.names(exe)
	n, ok := c.names[full]
	if !ok {
		n = t.add(c, name, full)
	}
	if c.rows == nil {
		c.rows, c.names = map[string]int32{}, map[string]int32{}
	}
	c.rows[exe], c.names[full] = n, n
	t.exes++
	return n
}

func (t *table) add(c *cgroup, name, full string) int32 {
	if !t.fold {
		name = full
	}
	t.rows = append(t.rows, row{index: -1})
	w := c.facts.Workload
	w.Name, w.FullName = name, full
	t.of = append(t.of, w)
	return int32(len(t.rows) - 1)
}

// wasteful reports whether most of what is kept is of processes that went.
func (t *table) wasteful(processes int) bool {
	return len(t.rows) > 2*t.used+slack || t.exes > 2*processes+slack
}

// clear forgets all rows.
func (t *table) clear() { t.rows, t.of, t.exes = nil, nil, 0 }

// publish makes published what the last pass found, and reports whether it changed.
func (t *table) publish() bool {
	if t.same && t.used == len(t.published) {
		return false
	}
	order := make([]int32, 0, t.used)
	for i := range t.rows {
		t.rows[i].index = -1
		if t.isUsed(int32(i)) {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(i, j int32) int {
		a, b := &t.of[i], &t.of[j]
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.FullName, b.FullName),
			cmp.Compare(a.Cgroup, b.Cgroup), cmp.Compare(i, j))
	})
	t.published = make([]scan.Workload, len(order))
	for index, i := range order {
		t.rows[i].index = int32(index)
		t.published[index] = t.of[i]
	}
	return true
}
