// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"cmp"
	"slices"
)

// sortByPID returns the indices of members ascending by PID; equal PIDs keep
// their order.
func sortByPID(members []Member) []int32 {
	byPID := make([]int32, len(members))
	for i := range byPID {
		byPID[i] = int32(i)
	}
	slices.SortStableFunc(byPID, func(a, b int32) int {
		return cmp.Compare(members[a].PID, members[b].PID)
	})
	return byPID
}

// processParents returns the index of each member's parent, or Outermost.
func processParents(members []Member, byPID []int32) []int32 {
	parents := make([]int32, len(members))
	for i, m := range members {
		parents[i] = Outermost
		k, found := slices.BinarySearchFunc(byPID, m.PPID, func(j, pid int32) int {
			return cmp.Compare(members[j].PID, pid)
		})
		// A child goes to its parent's reaper when the parent ends, and every
		// reaper is an ancestor: parents are always older.
		if found && m.PPID > 0 && m.PPID != m.PID && members[byPID[k]].Start <= m.Start {
			parents[i] = byPID[k]
		}
	}
	breakCircles(parents, byPID)
	return parents
}

// breakCircles makes the member of each circle that stands first in byPID a root.
func breakCircles(parents, byPID []int32) {
	position := make([]int32, len(parents))
	for k, i := range byPID {
		position[i] = int32(k)
	}
	// visit[i] is the walk that came to i first; walks count from 1.
	visit := make([]int32, len(parents))
	for k, i := range byPID {
		walk := int32(k) + 1
		for i >= 0 && visit[i] == 0 {
			visit[i] = walk
			i = parents[i]
		}
		if i < 0 || visit[i] != walk {
			continue
		}
		lowest := i
		for j := parents[i]; j != i; j = parents[j] {
			if position[j] < position[lowest] {
				lowest = j
			}
		}
		parents[lowest] = Outermost
	}
}

// domainParents returns the index of each domain's parent, or Outermost. A
// parent stands before its child, so there can be no circle.
func domainParents(domains []Domain) []int32 {
	parents := make([]int32, len(domains))
	layers := make([]int32, len(domains))
	for i := range domains {
		p := domains[i].Parent
		if p < 0 || int(p) >= i || layers[p] == maxNesting {
			parents[i], layers[i] = Outermost, 1
		} else {
			parents[i], layers[i] = p, layers[p]+1
		}
	}
	return parents
}

// sortByMembers orders domains by the first process, in the order of byPID, with
// a task in them or in a domain nested in them. Of two domains that a process
// names, the first named stands first. Empty ones come last.
func sortByMembers(parents []int32, members []Member, byPID []int32) []int32 {
	n := len(parents)
	// named[d] is the number of the mention that found d first. One mention
	// finds a domain and its parents, never two siblings: so siblings have
	// different numbers.
	named := make([]int, n)
	mention := 0
	for _, m := range byPID {
		for _, d := range members[m].Domains {
			mention++
			for ; d >= 0 && int(d) < n && named[d] == 0; d = parents[d] {
				named[d] = mention
			}
		}
	}
	sorted := make([]int32, n)
	for i := range sorted {
		sorted[i] = int32(i)
		if named[i] == 0 {
			named[i] = mention + 1
		}
	}
	slices.SortStableFunc(sorted, func(a, b int32) int { return cmp.Compare(named[a], named[b]) })
	return sorted
}

// place fills members and numBelow.
func (f *Forest) place(members []Member, byPID []int32) {
	n := len(f.domains.parent)
	f.members = make([][]int32, n)
	f.numBelow = make([]int32, n)
	// direct and below hold, for each domain, 1 + the last process that was
	// counted in it, so that none is counted twice.
	direct, below := make([]int32, n), make([]int32, n)
	for _, p := range byPID {
		for _, d := range members[p].Domains {
			if d < 0 || int(d) >= n || direct[d] == p+1 {
				continue
			}
			direct[d] = p + 1
			f.members[d] = append(f.members[d], p)
			for ; d >= 0 && below[d] != p+1; d = f.domains.parent[d] {
				below[d] = p + 1
				f.numBelow[d]++
			}
		}
	}
}
