// SPDX-License-Identifier: Apache-2.0

package domainid

import "iter"

// hierarchy is a set of trees over the nodes 0 to n-1.
type hierarchy struct {
	// parent is Outermost for a root.
	parent []int32
	// list holds the roots and then the children of each node, node after
	// node; those of node i begin at first[i].
	list  []int32
	first []int32
	// order holds the nodes, each before its children: node i at rank[i].
	order, rank []int32
	level       []int32
}

// newHierarchy makes a hierarchy from each node's parent, which must be without
// circles. The argument siblings holds every node once; it is the order of
// roots and of children.
func newHierarchy(parent, siblings []int32) hierarchy {
	n := len(parent)
	h := hierarchy{
		parent: parent,
		list:   make([]int32, n),
		first:  make([]int32, n+1),
		order:  make([]int32, 0, n),
		rank:   make([]int32, n),
		level:  make([]int32, n),
	}
	h.group(siblings)
	h.number()
	return h
}

// group fills list and first by counting sort.
func (h *hierarchy) group(siblings []int32) {
	n := len(h.parent)
	// next[p+1] is where the next child of p goes; p is -1 for a root.
	next := make([]int32, n+2)
	for _, p := range h.parent {
		next[p+2]++
	}
	for i := 1; i < len(next); i++ {
		next[i] += next[i-1]
	}
	copy(h.first, next[1:])
	for _, i := range siblings {
		p := h.parent[i]
		h.list[next[p+1]] = i
		next[p+1]++
	}
}

// number walks the trees with a stack of its own: 100 000 processes can be one
// chain.
func (h *hierarchy) number() {
	stack := pushReversed(nil, h.roots())
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if p := h.parent[i]; p >= 0 {
			h.level[i] = h.level[p] + 1
		}
		h.rank[i] = int32(len(h.order))
		h.order = append(h.order, i)
		stack = pushReversed(stack, h.children(i))
	}
}

func pushReversed(stack, nodes []int32) []int32 {
	for k := len(nodes) - 1; k >= 0; k-- {
		stack = append(stack, nodes[k])
	}
	return stack
}

func (h *hierarchy) roots() []int32 { return h.list[:h.first[0]:h.first[0]] }

func (h *hierarchy) children(i int32) []int32 {
	return h.list[h.first[i]:h.first[i+1]:h.first[i+1]]
}

func (h *hierarchy) walk() iter.Seq2[int32, int] {
	return func(yield func(int32, int) bool) {
		for _, i := range h.order {
			if !yield(i, int(h.level[i])) {
				return
			}
		}
	}
}
