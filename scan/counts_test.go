// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"math/rand/v2"
	"testing"

	"github.com/landlockd/landlockd/domainid"
)

// counted returns n processes of every state and depth with a task each, some with a worker.
// A source may be wrong, so depths and reasons do not always fit the state.
func counted(n int) *Snapshot {
	rnd := rand.New(rand.NewPCG(1, 2))
	s := &Snapshot{}
	for i := range n {
		depth := uint16(i / 4 % 20)
		s.Processes = append(s.Processes, Process{
			PID: int32(i + 1), State: States()[i%4], Reason: Reason(rnd.IntN(256)),
			Depth: depth, MaxDepth: depth + uint16(rnd.IntN(3)), FirstTask: int32(i), NumTasks: 1,
		})
		s.Tasks = append(s.Tasks, Task{
			State: States()[rnd.IntN(4)], Domain: domainid.Outermost, View: domainid.NoView,
		})
		if p := &s.Processes[i]; i%5 == 0 {
			p.FirstWorker, p.NumWorkers = int32(len(s.Workers)), 1
			at := Place{State: States()[rnd.IntN(4)], Domain: domainid.Outermost}
			s.Workers = append(s.Workers, Worker{Real: at, Acting: at})
		}
	}
	s.Conclude()
	return s
}

func sum(n []int) (total int) {
	for _, v := range n {
		total += v
	}
	return total
}

func TestCountsAddUp(t *testing.T) {
	for _, n := range []int{0, 1, 100, 997} {
		s := counted(n)
		c := s.Count()
		unknown := c.Processes.Of(Unknown)
		switch {
		case c.Processes.Total() != n || c.Threads.Total() != len(s.Tasks):
			t.Errorf("%d: %v processes and %v threads", n, c.Processes, c.Threads)
		case sum(c.Reasons[:]) != unknown || c.Reasons[NoReason] != 0:
			t.Errorf("%d: reasons %v, want %d in all, each with a name", n, c.Reasons, unknown)
		case sum(c.ByDepth[:]) != c.Processes.Known():
			t.Errorf("%d: %v by depth, want %d", n, c.ByDepth, c.Processes.Known())
		case c.ByDepth[0] != c.Processes.Of(Partial)+c.Processes.Of(Unsandboxed):
			t.Errorf("%d: %v by depth of %v", n, c.ByDepth, c.Processes)
		}
		layers, deepest := 0, 0
		for _, p := range s.Processes {
			deepest = max(deepest, int(p.MaxDepth))
			if p.State == Sandboxed {
				layers += max(1, int(p.Depth))
			}
		}
		if c.Layers != layers || c.MaxDepth < deepest || c.MaxDepth > max(1, deepest) {
			t.Errorf("%d: %d layers and depth %d, want %d and %d", n, c.Layers, c.MaxDepth, layers, deepest)
		}
	}
}

func TestCoverage(t *testing.T) {
	for _, c := range []struct {
		n     ByState
		share float64
		known bool
		state State
	}{
		{ByState{Sandboxed: 5, Partial: 1, Unsandboxed: 2, Unknown: 3}, 5. / 8, true, Partial},
		{ByState{Sandboxed: 4}, 1, true, Sandboxed},
		{ByState{Sandboxed: 4, Unknown: 1}, 1, true, Unknown},
		{ByState{Sandboxed: 4, Unsandboxed: 1, Unknown: 1}, .8, true, Partial},
		{ByState{Unsandboxed: 1}, 0, true, Unsandboxed},
		{ByState{Unknown: 7}, 0, false, Unknown},
	} {
		share, known := c.n.Coverage()
		if share != c.share || known != c.known || c.n.State() != c.state {
			t.Errorf("%v: %v, known %v, %s", c.n, share, known, c.n.State())
		}
	}
}

func TestCountAllocatesNothing(t *testing.T) {
	s := counted(10_000)
	if n := testing.AllocsPerRun(20, func() { s.Count() }); n != 0 {
		t.Errorf("%v allocations to count 10 000 processes", n)
	}
}

func BenchmarkCount(b *testing.B) {
	s := counted(10_000)
	b.ReportAllocs()
	for b.Loop() {
		s.Count()
	}
}
