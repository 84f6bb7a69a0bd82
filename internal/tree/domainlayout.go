// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"cmp"
	"slices"
)

// domainRow is a domain, or a process in that domain if process is not -1.
type domainRow struct{ domain, process int32 }

// domainNote is what a process's line has beside its name.
type domainNote struct {
	// threads is how many of its tasks are in the domain.
	threads int
	// deeper is how many of its children have a task in a domain nested in it.
	deeper int
	// child is 1 + the child that was counted last.
	child int32
}

// layOut makes a line for each domain, and for each process in it or for equal siblings.
func (v *domainWriter) layOut() {
	v.folds = v.foldable()
	walk := v.newMemberWalk()
	lineOfDomain := make([]int32, len(v.s.Domains))
	lineOf := make([]int32, len(v.s.Processes))
	for d := range v.forest.WalkDomains() {
		up := v.forest.ParentDomain(d)
		if up >= 0 {
			up = lineOfDomain[up]
		}
		lineOfDomain[d] = v.add(up, domainRow{d, -1})
		for _, p := range walk.members(d) {
			if v.folds[p] == 0 {
				continue
			}
			up := lineOfDomain[d]
			if q := v.forest.Parent(p); walk.holds(d, q) {
				up = lineOf[q]
			}
			lineOf[p] = v.add(up, domainRow{d, p})
		}
	}
	v.lines.close()
}

// foldable returns for how many processes each one's line stands, as [treeWriter.fold] does.
func (v *domainWriter) foldable() []int {
	n := len(v.s.Processes)
	all, hasChild := make([]bool, n), make([]bool, n)
	order := make([]int32, 0, n)
	for p := range v.forest.Walk() {
		order = append(order, p)
		all[p] = true
		if up := v.forest.Parent(p); up >= 0 {
			hasChild[up] = true
		}
	}
	return newTreeWriter(v.s, v.o).fold(order, all, hasChild)
}

func (v *domainWriter) add(up int32, r domainRow) int32 {
	v.rows = append(v.rows, r)
	return v.lines.add(up)
}

// memberWalk orders the processes of one domain after the other.
type memberWalk struct {
	v *domainWriter
	// rank is each process's place in the walk of the whole forest.
	rank []int32
	// in is 1 + the domain that a process was seen in last, and root its
	// ancestor that is the root of its tree in that domain.
	in, root []int32
}

func (v *domainWriter) newMemberWalk() *memberWalk {
	n := len(v.s.Processes)
	m := &memberWalk{v: v, rank: make([]int32, n), in: make([]int32, n), root: make([]int32, n)}
	next := int32(0)
	for p := range v.forest.Walk() {
		m.rank[p] = next
		next++
	}
	return m
}

// members returns the processes of a domain so that each tree is in one piece.
// The walk alone does not do that: between a process and its second child may
// stand a grandchild whose own parent is not in the domain.
func (m *memberWalk) members(d int32) []int32 {
	procs := slices.Clone(m.v.forest.Members(d))
	slices.SortFunc(procs, func(a, b int32) int { return cmp.Compare(m.rank[a], m.rank[b]) })
	for _, p := range procs {
		m.root[p] = p
		if q := m.v.forest.Parent(p); m.holds(d, q) {
			m.root[p] = m.root[q]
		}
		m.in[p] = d + 1
	}
	slices.SortStableFunc(procs, func(a, b int32) int {
		return cmp.Compare(m.rank[m.root[a]], m.rank[m.root[b]])
	})
	return procs
}

// holds reports whether members has come to process p in domain d.
func (m *memberWalk) holds(d, p int32) bool { return p >= 0 && m.in[p] == d+1 }

// annotate fills notes, in one pass over all tasks: a process can have thousands
// of threads, each in a domain of its own, and as many children.
func (v *domainWriter) annotate() {
	v.notes = make([]domainNote, len(v.rows))
	lineOf := make(map[domainRow]int32, len(v.rows))
	for line, r := range v.rows {
		lineOf[r] = int32(line)
	}
	for i := range v.s.Processes {
		p := int32(i)
		parent := v.forest.Parent(p)
		counted := int32(-1)
		for _, t := range v.s.TasksOf(&v.s.Processes[i]) {
			d := v.s.DomainOf(t)
			if d < 0 {
				continue
			}
			if line, found := lineOf[domainRow{d, p}]; found {
				v.notes[line].threads++
			}
			if d == counted || parent < 0 {
				continue
			}
			counted = d
			for up := v.forest.ParentDomain(d); up >= 0; up = v.forest.ParentDomain(up) {
				line, found := lineOf[domainRow{up, parent}]
				if found && v.notes[line].child != p+1 {
					v.notes[line].child = p + 1
					v.notes[line].deeper++
				}
			}
		}
	}
}
