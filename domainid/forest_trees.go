// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"cmp"
	"slices"
)

// Tree is the part of a process tree that lives in one domain: processes with
// a task in the domain or in one nested in it, joined by their parents.
type Tree struct {
	// Root is the process that has no parent in the domain or in one nested in it:
	// it sandboxed itself, or its parent is gone or elsewhere.
	Root int32
	// Processes is the number of processes in the tree, the root included.
	Processes int
	// Deeper is how many of them have a task in a domain that is nested
	// strictly in this one.
	Deeper int
}

// Below returns the processes with a task in d or in a domain nested in it, in
// the order of [Forest.Walk]. The slice is the caller's.
func (f *Forest) Below(d int32) []int32 {
	r := f.domains.rank[d]
	return f.inWalkOrder(f.members[f.firstMember[r]:f.firstMember[f.domains.end[d]]])
}

// Trees returns the process trees of domain d, in the order of [Forest.Walk].
// The slice is the caller's. It takes time O(k log k) in the number of
// processes below d.
func (f *Forest) Trees(d int32) []Tree {
	below := f.Below(d)
	r := f.domains.rank[d]
	deeper := f.inWalkOrder(f.members[f.firstMember[r+1]:f.firstMember[f.domains.end[d]]])

	var trees []Tree
	// treeOf[k] is the tree of below[k]. A parent stands before its children.
	treeOf := make([]int32, len(below))
	for k, p := range below {
		if up, found := f.position(below, f.procs.parent[p]); found {
			treeOf[k] = treeOf[up]
		} else {
			treeOf[k] = int32(len(trees))
			trees = append(trees, Tree{Root: p})
		}
		t := &trees[treeOf[k]]
		t.Processes++
		if _, found := f.position(deeper, p); found {
			t.Deeper++
		}
	}
	return trees
}

// inWalkOrder returns each process once, in a new slice.
func (f *Forest) inWalkOrder(procs []int32) []int32 {
	sorted := slices.Clone(procs)
	slices.SortFunc(sorted, func(a, b int32) int {
		return cmp.Compare(f.procs.rank[a], f.procs.rank[b])
	})
	return slices.Compact(sorted)
}

// position finds process p in a slice in walk order.
func (f *Forest) position(procs []int32, p int32) (int, bool) {
	if p < 0 {
		return 0, false
	}
	return slices.BinarySearchFunc(procs, f.procs.rank[p], func(q, rank int32) int {
		return cmp.Compare(f.procs.rank[q], rank)
	})
}
