// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"iter"
	"slices"
)

// hierarchy is a set of trees over the nodes 0 to n-1.
type hierarchy struct {
	// parent is Outermost for a root.
	parent []int32
	// below holds the roots, and then the children of each node.
	below [][]int32
}

// newHierarchy makes a hierarchy from each node's parent, which must be without
// circles. The argument siblings holds every node once; it is the order of
// roots and of children.
func newHierarchy(parent, siblings []int32) hierarchy {
	h := hierarchy{parent, make([][]int32, len(parent)+1)}
	for _, i := range siblings {
		to := &h.below[parent[i]+1]
		*to = append(*to, i)
	}
	return h
}

func (h *hierarchy) roots() []int32 { return h.children(Outermost) }

func (h *hierarchy) children(i int32) []int32 { return slices.Clip(h.below[i+1]) }

// walk yields the nodes with their levels, each before its children. It has a stack of
// its own: 100 000 processes can be one chain.
func (h *hierarchy) walk() iter.Seq2[int32, int] {
	type place struct {
		node  int32
		level int
	}
	return func(yield func(int32, int) bool) {
		var stack []place
		push := func(nodes []int32, level int) {
			for _, i := range slices.Backward(nodes) {
				stack = append(stack, place{i, level})
			}
		}
		push(h.roots(), 0)
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if !yield(at.node, at.level) {
				return
			}
			push(h.children(at.node), at.level+1)
		}
	}
}
