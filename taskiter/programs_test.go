// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// TestPrograms holds what is remembered from scan to scan to a map of it, over scans in which
// processes come, end, have their PIDs taken by others, and execute something else.
func TestPrograms(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var p programs
	type name struct {
		pid         int32
		start, exec uint64
	}
	want := map[name]scan.Process{}
	alive := map[int32]name{}
	for n := range 300 {
		for range 1 + random.IntN(40) {
			pid := int32(1 + random.IntN(200))
			switch now, there := alive[pid]; {
			case there && random.IntN(3) == 0:
				delete(alive, pid)
			case there && random.IntN(2) == 0:
				alive[pid] = name{pid, now.start, now.exec + 1}
			default:
				alive[pid] = name{pid, uint64(n), 0}
			}
		}
		if n%50 == 49 {
			clear(alive)
		}
		next := map[name]scan.Process{}
		p.begin(len(alive))
		for _, pid := range slices.Sorted(maps.Keys(alive)) {
			k := alive[pid]
			pr := scan.Process{PID: pid, Start: k.start, Exec: k.exec}
			known := p.recall(&pr)
			if w, ok := want[k]; known != ok || ok && pr != w {
				t.Fatalf("scan %d: process %v is known: %v, %v; want %v, %v", n, k, known, pr, ok, w)
			}
			if !known && random.IntN(4) > 0 { // its path came in this scan
				pr.Exe, pr.ExeCut, pr.ExeOrigin = fmt.Sprintf("/%d", random.Int()), random.IntN(2) == 0, scan.OfHost
				pr.ExeDeleted = random.IntN(2) == 0
				known = true
			}
			if known {
				p.keep(&pr)
				next[k] = pr
			}
		}
		p.end()
		want = next
		if random.IntN(3) == 0 { // a scan that comes to the same has them in its snapshot
			p.rest(slices.SortedFunc(maps.Values(want), func(a, b scan.Process) int {
				return cmp.Compare(a.PID, b.PID)
			}))
			p.wake()
			// Of those whose path nobody could read there is nothing to be kept.
			maps.DeleteFunc(want, func(k name, pr scan.Process) bool {
				return pr == scan.Process{PID: k.pid, Start: k.start, Exec: k.exec}
			})
		}
		if len(p.list) != len(want) {
			t.Fatalf("scan %d: %d are kept, want %d", n, len(p.list), len(want))
		}
		for _, e := range p.list[len(p.list):cap(p.list)] {
			if e.path != "" {
				t.Fatalf("scan %d: the path of a process that ended is kept", n)
			}
		}
	}
}

// A burst's memory goes back, and in the steady state none is taken.
func TestProgramsMemory(t *testing.T) {
	var p programs
	scanOf := func(n int) {
		p.begin(n)
		for i := range n {
			pr := scan.Process{PID: int32(i + 1)}
			p.recall(&pr)
			p.keep(&pr)
		}
		p.end()
	}
	scanOf(50_000)
	if n := testing.AllocsPerRun(10, func() { scanOf(50_000) }); n != 0 {
		t.Errorf("%v allocations for the same processes again", n)
	}
	scanOf(100)
	if cap(p.list) > 4096 {
		t.Errorf("room for %d of 100 processes", cap(p.list))
	}
}
