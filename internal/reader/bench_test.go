// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"fmt"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// many is a host of so many processes with one task each.
func many(n int) *scan.Snapshot {
	s := &scan.Snapshot{Time: time.Unix(1, 0), Processes: make([]scan.Process, n), Tasks: make([]scan.Task, n)}
	for i := range s.Processes {
		s.Processes[i] = scan.Process{PID: int32(i + 1), Exe: fmt.Sprintf("/usr/lib/program/of/some/length/%d", i%100), State: scan.Unsandboxed, FirstTask: int32(i), NumTasks: 1}
		s.Tasks[i] = scan.Task{TID: int32(i + 1), Domain: domainid.Outermost, State: scan.Unsandboxed}
	}
	return s
}

// BenchmarkAnswer is what an answer about 10 000 processes costs both sides together.
func BenchmarkAnswer(b *testing.B) {
	snap, known := many(10_000), paths{}
	w := wire{}
	b.ReportAllocs()
	for b.Loop() {
		w = wire{b: w.b[:0]}
		w.snapshot(snap, &paths{})
		r := wire{b: w.b, reading: true}
		if r.snapshot(&scan.Snapshot{}, &known); r.err != nil {
			b.Fatal(r.err)
		}
	}
	b.ReportMetric(float64(len(w.b)), "bytes")
}

// TestAllocations: in the steady state none is for a process.
func TestAllocations(t *testing.T) {
	allocations := func(n int) float64 {
		snap, known, w := many(n), paths{}, wire{}
		return testing.AllocsPerRun(5, func() {
			w = wire{b: w.b[:0]}
			w.snapshot(snap, &paths{})
			r := wire{b: w.b, reading: true}
			r.snapshot(&scan.Snapshot{}, &known)
		})
	}
	if few, more := allocations(100), allocations(5000); more > few {
		t.Errorf("%v for 100 processes, %v for 5000", few, more)
	}
}
