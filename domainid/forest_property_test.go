// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// naive answers the questions of a Forest from their definitions alone.
type naive struct {
	domains []Domain
	members []Member
	forest  *Forest // only for the parents of processes, which check verifies
}

func (n naive) within(inner, outer int32) bool {
	for ; inner >= 0; inner = n.domains[inner].Parent {
		if inner == outer {
			return true
		}
	}
	return false
}

// has reports whether process p has a task in d or below.
func (n naive) has(p, d int32) bool {
	return slices.ContainsFunc(n.members[p].Domains, func(in int32) bool { return n.within(in, d) })
}

func randomForest(r *rand.Rand) naive {
	n := naive{domains: make([]Domain, r.IntN(12)), members: make([]Member, r.IntN(40))}
	for i := range n.domains {
		n.domains[i] = Domain{ID: ID(r.Uint64() | 1), Parent: int32(r.IntN(i+1)) - 1}
	}
	for i := range n.members {
		m := Member{PID: int32(i + 1), PPID: int32(r.IntN(len(n.members) + 2)), Start: uint64(r.IntN(4))}
		if len(n.domains) > 0 {
			for range r.IntN(4) {
				m.Domains = append(m.Domains, int32(r.IntN(len(n.domains))))
			}
		}
		n.members[i] = m
	}
	n.forest = NewForest(n.domains, n.members)
	return n
}

func TestForestAgreesWithDefinitions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		n := randomForest(r)
		f := n.forest
		check(t, f)
		n.checkParents(t)
		for d := range int32(len(n.domains)) {
			n.checkDomain(t, d)
		}
		if t.Failed() {
			t.Fatalf("domains %+v\nmembers %+v", n.domains, n.members)
		}
	}
}

func (n naive) checkParents(t *testing.T) {
	t.Helper()
	for i := range n.members {
		p, m := n.forest.Parent(int32(i)), &n.members[i]
		if p >= 0 {
			up := &n.members[p]
			if up.PID != m.PPID || up.Start > m.Start {
				t.Errorf("process %d cannot have parent %d", m.PID, up.PID)
			}
			continue
		}
		// PIDs are 1 to n here. A root's parent is missing, younger, or the
		// root is the lowest of a circle.
		missing := m.PPID < 1 || int(m.PPID) > len(n.members)
		if !missing && n.members[m.PPID-1].Start <= m.Start && !n.lowestOfCircle(int32(i)) {
			t.Errorf("process %d is a root without a reason", m.PID)
		}
	}
}

func (n naive) lowestOfCircle(i int32) bool {
	p := i
	for range n.members {
		ppid := n.members[p].PPID
		if ppid < 1 || int(ppid) > len(n.members) || n.members[ppid-1].Start > n.members[p].Start {
			return false
		}
		p = ppid - 1
		if p == i {
			return true
		}
		if p < i {
			return false
		}
	}
	return false
}

func (n naive) checkDomain(t *testing.T, d int32) {
	t.Helper()
	f := n.forest
	var members []int32
	below := 0
	for p := range int32(len(n.members)) {
		if slices.Contains(n.members[p].Domains, d) {
			members = append(members, p)
		}
	}
	for p := range f.Walk() {
		if n.has(p, d) {
			below++
		}
	}
	equal(t, "members", f.Members(d), members...)
	if f.NumBelow(d) != below {
		t.Errorf("NumBelow(%d) = %d, want %d", d, f.NumBelow(d), below)
	}
	first := func(d int32) int {
		return slices.IndexFunc(n.members, func(m Member) bool {
			return slices.ContainsFunc(m.Domains, func(in int32) bool { return n.within(in, d) })
		})
	}
	for _, siblings := range [][]int32{f.domains.roots(), f.NestedDomains(d)} {
		sorted := slices.IsSortedFunc(siblings, func(a, b int32) int {
			// An index of -1 becomes the largest number: empty ones come last.
			return int(uint32(first(a))>>1) - int(uint32(first(b))>>1)
		})
		if !sorted {
			t.Errorf("domains %v are not ordered by their first process", siblings)
		}
	}
}

// The order of domains in a snapshot means nothing, so it must not show.
func TestForestOrderComesFromProcesses(t *testing.T) {
	a := NewForest([]Domain{{ID: 1, Parent: -1}, {ID: 2, Parent: -1}, {ID: 3, Parent: 0}}, []Member{
		{PID: 1, Domains: []int32{1}}, {PID: 2, Domains: []int32{2}}, {PID: 3, Domains: []int32{0}},
	})
	b := NewForest([]Domain{{ID: 2, Parent: -1}, {ID: 1, Parent: -1}, {ID: 3, Parent: 1}}, []Member{
		{PID: 1, Domains: []int32{0}}, {PID: 2, Domains: []int32{2}}, {PID: 3, Domains: []int32{1}},
	})
	ids := func(f *Forest, byIndex ...ID) (ids []ID) {
		for d := range f.WalkDomains() {
			ids = append(ids, byIndex[d])
		}
		return ids
	}
	if x, y := ids(a, 1, 2, 3), ids(b, 2, 1, 3); !slices.Equal(x, y) {
		t.Errorf("%v and %v differ", x, y)
	}
}

func FuzzForest(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte{0, 1, 2, 3}, []byte{1, 2, 0, 1, 2, 1, 0, 2, 3, 3, 1, 0})
	f.Fuzz(func(t *testing.T, parents, procs []byte) {
		domains := make([]Domain, len(parents))
		for i, p := range parents {
			domains[i] = Domain{ID: ID(i % 7), Parent: int32(int8(p))}
		}
		var members []Member
		for ; len(procs) >= 4; procs = procs[4:] {
			members = append(members, Member{
				PID: int32(int8(procs[0])), PPID: int32(int8(procs[1])), Start: uint64(procs[2] % 4),
				Domains: []int32{int32(int8(procs[3])), int32(procs[3] >> 4)},
			})
		}
		forest := NewForest(domains, members)
		check(t, forest)
		for d := range int32(len(domains)) {
			below := 0
			for i := range members {
				if slices.ContainsFunc(members[i].Domains, func(in int32) bool {
					for ; in >= 0 && int(in) < len(domains); in = forest.ParentDomain(in) {
						if in == d {
							return true
						}
					}
					return false
				}) {
					below++
				}
			}
			if below != forest.NumBelow(d) {
				t.Fatalf("domain %d: %d are below, %d counted", d, below, forest.NumBelow(d))
			}
		}
	})
}
