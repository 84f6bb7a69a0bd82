// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/domainid"
)

// host builds a snapshot: a process for each entry, with one task for each
// domain ID; 0 is no domain.
func host(ids string, processes map[int32][]domainid.ID) *Snapshot {
	s := &Snapshot{Source: SourceInfo{IDs: ids}}
	index := map[domainid.ID]int32{}
	pids := make([]int32, 0, len(processes))
	for pid := range processes {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	for _, pid := range pids {
		p := Process{PID: pid, Start: uint64(pid) * uint64(StatTick), FirstTask: int32(len(s.Tasks)), NumTasks: int32(len(processes[pid]))}
		var in, out int
		for i, id := range processes[pid] {
			t := Task{TID: pid + int32(i), Start: p.Start, State: Unsandboxed, Domain: domainid.Outermost}
			if id != 0 {
				in++
				d, ok := index[id]
				if !ok {
					d = int32(len(s.Domains))
					index[id] = d
					s.Domains = append(s.Domains, domainid.Domain{ID: id, Parent: domainid.Outermost})
				}
				t.State, t.Domain = Sandboxed, d
			} else {
				out++
			}
			s.Tasks = append(s.Tasks, t)
		}
		switch {
		case out == 0:
			p.State = Sandboxed
		case in == 0:
			p.State = Unsandboxed
		default:
			p.State = Partial
		}
		s.Processes = append(s.Processes, p)
	}
	return s
}

type ids = []domainid.ID

func TestDisagreements(t *testing.T) {
	base := map[int32][]domainid.ID{10: {0}, 20: {7}, 30: {7, 7}, 40: {0, 8}, 50: {9}}
	with := func(pid int32, d ids) map[int32][]domainid.ID {
		m := map[int32][]domainid.ID{}
		for p, v := range base {
			m[p] = v
		}
		if m[pid] = d; d == nil {
			delete(m, pid)
		}
		return m
	}
	for _, c := range []struct {
		name      string
		b         map[int32][]domainid.ID
		bIDs      string
		want      Disagreement
		unknownAt int32
	}{
		{"equal", base, "kernel", Disagreement{Compared: 5}, 0},
		{"other names", map[int32][]domainid.ID{10: {0}, 20: {107}, 30: {107, 107}, 40: {0, 108}, 50: {109}}, "derived", Disagreement{Compared: 5}, 0},
		{"other kernel IDs", map[int32][]domainid.ID{10: {0}, 20: {7}, 30: {7, 7}, 40: {0, 108}, 50: {9}}, "kernel", Disagreement{Compared: 5, ID: 1, Examples: []int32{40}}, 0},
		{"a state", with(10, ids{5}), "derived", Disagreement{Compared: 5, State: 1, Examples: []int32{10}}, 0},
		{"partial", with(40, ids{8, 8}), "derived", Disagreement{Compared: 5, State: 1, Examples: []int32{40}}, 0},
		{"one less", with(20, nil), "kernel", Disagreement{Compared: 4}, 0},
		{"one more", with(25, ids{3}), "kernel", Disagreement{Compared: 5}, 0},
		{"a split", with(20, ids{6}), "derived", Disagreement{Compared: 5, Domain: 1, Examples: []int32{20}}, 0},
		{"a merge", with(50, ids{7}), "derived", Disagreement{Compared: 5, Domain: 1, Examples: []int32{50}}, 0},
		{"unknown", with(10, ids{5}), "derived", Disagreement{Compared: 4}, 10},
	} {
		a, b := host("kernel", base), host(c.bIDs, c.b)
		if c.unknownAt != 0 {
			b.Find(c.unknownAt).State = Unknown
		}
		for _, d := range []Disagreement{Disagreements(a, b), Disagreements(b, a)} {
			if fmt.Sprint(d) != fmt.Sprint(c.want) {
				t.Errorf("%s: %+v, want %+v", c.name, d, c.want)
			}
		}
	}
}

func TestDisagreementsIgnoresReusedPIDs(t *testing.T) {
	a, b := host("kernel", map[int32][]domainid.ID{10: {0}}), host("kernel", map[int32][]domainid.ID{10: {5}})
	b.Processes[0].Start += uint64(StatTick)
	if d := Disagreements(a, b); d.Compared != 0 || d.Total() != 0 {
		t.Errorf("%+v", d)
	}
	// But the same to the resolution of the coarser source.
	b.Processes[0].Start = a.Processes[0].Start + uint64(StatTick) - 1
	if d := Disagreements(a, b); d.State != 1 {
		t.Errorf("%+v", d)
	}
}

func TestDisagreementsBetween(t *testing.T) {
	out, in := host("kernel", map[int32][]domainid.ID{10: {0}, 20: {3}}), host("kernel", map[int32][]domainid.ID{10: {5}, 20: {3}})
	if d := DisagreementsBetween(out, in, in); d.Total() != 0 || d.Compared != 1 {
		t.Errorf("a process that moved meanwhile: %+v", d)
	}
	if d := DisagreementsBetween(out, in, out); d.State != 1 || d.Compared != 2 {
		t.Errorf("one that did not: %+v", d)
	}
}

// Whatever names two sources use, snapshots of one host agree, and one task in
// another domain is found.
func TestDisagreementsProperties(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		a, b := map[int32][]domainid.ID{}, map[int32][]domainid.ID{}
		for i := range 1 + rnd.IntN(40) {
			pid := int32(10 * (i + 1))
			for range 1 + rnd.IntN(3) {
				id := domainid.ID(rnd.IntN(6))
				a[pid] = append(a[pid], id)
				if id != 0 {
					id = 1000 - 7*id
				}
				b[pid] = append(b[pid], id)
			}
		}
		if d := Disagreements(host("kernel", a), host("derived", b)); d.Total() != 0 || d.Compared != len(a) {
			t.Fatalf("seed %d: %+v", seed, d)
		}
		// The lowest PID moves to a domain of its own, from a shared one.
		if old := a[10][0]; old != 0 {
			shared := false
			for pid, ds := range a {
				for i, d := range ds {
					shared = shared || d == old && (pid != 10 || i != 0)
				}
			}
			b[10][0] = 5000
			d := Disagreements(host("kernel", a), host("derived", b))
			if (d.Domain > 0) != shared || d.State != 0 {
				t.Fatalf("seed %d: %+v, shared %v", seed, d, shared)
			}
		}
	}
}

func BenchmarkDisagreements(b *testing.B) {
	m := map[int32][]domainid.ID{}
	for i := range int32(10_000) {
		m[10*(i+1)] = ids{domainid.ID(i % 300), domainid.ID(i % 300)}
	}
	x, y := host("kernel", m), host("kernel", m)
	b.ReportAllocs()
	for b.Loop() {
		if d := Disagreements(x, y); d.Total() != 0 {
			b.Fatal(d)
		}
	}
}
