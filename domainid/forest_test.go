// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"iter"
	"math"
	"slices"
	"testing"
)

// shells are three shells, each nested in the one before, beside a process
// whose two threads are in two domains, and one that is not sandboxed.
func shells() *Forest {
	domains := []Domain{
		{ID: 0xc, Parent: Outermost, Depth: 1},
		{ID: 0xb, Parent: 0, Depth: 2},
		{ID: 0xa, Parent: 1, Depth: 3},
		{ID: 0xe, Parent: Outermost, Depth: 1},
		{ID: 0xd, Parent: Outermost, Depth: 1},
	}
	members := []Member{
		{PID: 1},
		{PID: 10, PPID: 1, Domains: []int32{0}},
		{PID: 11, PPID: 10, Domains: []int32{1}},
		{PID: 12, PPID: 11, Domains: []int32{2}},
		{PID: 13, PPID: 1, Domains: []int32{0}},
		{PID: 20, PPID: 1, Domains: []int32{4, 3, 4, Outermost, 99}},
	}
	return NewForest(domains, members)
}

func TestForestProcesses(t *testing.T) {
	f := shells()
	equal(t, "roots", f.procs.roots(), 0)
	equal(t, "children of 1", f.procs.children(0), 1, 4, 5)
	equal(t, "children of 12", f.procs.children(3))
	var order, levels []int32
	for p, level := range f.Walk() {
		order, levels = append(order, p), append(levels, int32(level))
	}
	equal(t, "walk", order, 0, 1, 2, 3, 4, 5)
	equal(t, "levels", levels, 0, 1, 2, 3, 1, 1)
	if f.Parent(0) != Outermost || f.Parent(3) != 2 {
		t.Errorf("parents: %d, %d", f.Parent(0), f.Parent(3))
	}
}

func TestForestDomains(t *testing.T) {
	f := shells()
	// 0xd before 0xe: the first thread of process 20 is in it.
	equal(t, "outermost", f.domains.roots(), 0, 4, 3)
	equal(t, "nested in c", f.NestedDomains(0), 1)
	equal(t, "members of c", f.Members(0), 1, 4)
	equal(t, "members of d", f.Members(4), 5)
	if f.NumBelow(0) != 4 || f.NumBelow(3) != 1 {
		t.Errorf("NumBelow: %d, %d", f.NumBelow(0), f.NumBelow(3))
	}
}

func TestForestSlicesCannotBeAppendedInto(t *testing.T) {
	f := shells()
	_ = append(f.procs.roots(), 77)
	_ = append(f.procs.children(0), 77)
	equal(t, "children of 1", f.procs.children(0), 1, 4, 5)
	equal(t, "children of 10", f.procs.children(1), 2)
}

func TestForestInconsistentInput(t *testing.T) {
	tests := []struct {
		name    string
		members []Member
		parents []int32
	}{
		{"empty", nil, []int32{}},
		{"self", []Member{{PID: 5, PPID: 5}}, []int32{-1}},
		{"missing parent", []Member{{PID: 5, PPID: 4}}, []int32{-1}},
		{"circle of two", []Member{{PID: 5, PPID: 6}, {PID: 6, PPID: 5}}, []int32{-1, 0}},
		{"circle with a tail", []Member{{PID: 1, PPID: 9}, {PID: 9, PPID: 7}, {PID: 8, PPID: 9}, {PID: 7, PPID: 8}}, []int32{1, 3, 1, -1}},
		{"PID twice", []Member{{PID: 5}, {PID: 5}, {PID: 6, PPID: 5}}, []int32{-1, -1, 0}},
		{"not sorted", []Member{{PID: 6, PPID: 5}, {PID: 5}}, []int32{1, -1}},
		{"younger parent", []Member{{PID: 5, Start: 20}, {PID: 6, PPID: 5, Start: 10}}, []int32{-1, -1}},
		{"as old", []Member{{PID: 5, Start: 10}, {PID: 6, PPID: 5, Start: 10}}, []int32{-1, 0}},
		{"PID 0", []Member{{PID: 0}, {PID: 6, PPID: 0}}, []int32{-1, -1}},
		{"extreme PIDs", []Member{{PID: math.MinInt32, PPID: math.MaxInt32}, {PID: math.MaxInt32, PPID: math.MinInt32}}, []int32{1, -1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := NewForest(nil, test.members)
			got := make([]int32, len(test.members))
			for i := range got {
				got[i] = f.Parent(int32(i))
			}
			equal(t, "parents", got, test.parents...)
			check(t, f)
		})
	}
}

func TestForestDomainParentMustStandBefore(t *testing.T) {
	domains := []Domain{{ID: 1, Parent: 1}, {ID: 2, Parent: 0}, {ID: 3, Parent: 2}, {ID: 4, Parent: 77}, {ID: 5, Parent: -7}}
	f := NewForest(domains, nil)
	for d, want := range []int32{Outermost, 0, Outermost, Outermost, Outermost} {
		if got := f.ParentDomain(int32(d)); got != want {
			t.Errorf("parent of %d: %d, want %d", d, got, want)
		}
	}
	check(t, f)
}

// One chain of processes and one of domains, both far longer than a kernel's:
// neither may exhaust a stack or take quadratic time.
func TestForestLongChains(t *testing.T) {
	const n = 100_000
	domains := make([]Domain, n)
	members := make([]Member, n)
	for i := range n {
		domains[i] = Domain{ID: ID(i + 1), Parent: int32(i) - 1}
		members[i] = Member{PID: int32(i) + 1, PPID: int32(i), Domains: []int32{int32(i)}}
	}
	f := NewForest(domains, members)
	check(t, f)
	last := int32(0)
	for _, level := range f.Walk() {
		last = int32(level)
	}
	if last != n-1 {
		t.Errorf("deepest level %d, want %d", last, n-1)
	}
	if got := f.NumBelow(0); got != maxNesting {
		t.Errorf("NumBelow = %d, want the lineage cut at %d", got, maxNesting)
	}
}

func equal(t *testing.T, what string, got []int32, want ...int32) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// check fails if f breaks what every forest keeps.
func check(t *testing.T, f *Forest) {
	t.Helper()
	checkWalk(t, "process", f.Walk, f.Parent, len(f.procs.parent))
	checkWalk(t, "domain", f.WalkDomains, f.ParentDomain, len(f.domains.parent))
	for d := range f.domains.parent {
		if len(f.Members(int32(d))) > f.NumBelow(int32(d)) {
			t.Errorf("domain %d: more members than processes below", d)
		}
	}
}

func checkWalk(t *testing.T, what string, walk func() iter.Seq2[int32, int], parent func(int32) int32, n int) {
	t.Helper()
	level := make(map[int32]int, n)
	for i, l := range walk() {
		if _, twice := level[i]; twice {
			t.Fatalf("%s %d is walked twice", what, i)
		}
		want := 0
		if p := parent(i); p >= 0 {
			up, before := level[p]
			if !before {
				t.Fatalf("%s %d is walked before its parent", what, i)
			}
			want = up + 1
		}
		if l != want {
			t.Fatalf("%s %d: level %d, want %d", what, i, l, want)
		}
		level[i] = l
	}
	if len(level) != n {
		t.Fatalf("%d of %d of kind %s are walked", len(level), n, what)
	}
}
