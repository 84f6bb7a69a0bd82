// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/rand/v2"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// host returns n processes of every state and depth. A source may be wrong, so
// depths and reasons do not always fit the state.
func host(n int) *scan.Snapshot {
	rnd := rand.New(rand.NewPCG(1, 2))
	s := newSnapshot()
	for i := range n {
		state := scan.States()[i%4]
		depth := uint16(i / 4 % 20)
		add(s, state, scan.Reason(rnd.IntN(256)), depth, depth+uint16(rnd.IntN(3)), scan.States()[rnd.IntN(4)])
		if p := &s.Processes[i]; i%5 == 0 {
			p.UIDsDiffer = true
			outsider(s, i, scan.Place{State: scan.States()[rnd.IntN(4)], Domain: domainid.Outermost})
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
		s := host(n)
		c := s.Count()
		if got := sum(c.Processes[:]); got != n {
			t.Errorf("%d processes in all states, want %d", got, n)
		}
		if got := sum(c.Threads[:]); got != len(s.Tasks) {
			t.Errorf("%d threads in all states, want %d", got, len(s.Tasks))
		}
		unknown := c.Processes[scan.Unknown]
		if got := sum(c.Reasons[:]); got != unknown || c.Reasons[scan.NoReason] != 0 {
			t.Errorf("reasons %v, want %d in all, each with a name", c.Reasons, unknown)
		}
		if got := sum(c.ByDepth[:]); got != n-unknown {
			t.Errorf("%d processes at all depths, want %d", got, n-unknown)
		}
		if got, want := c.ByDepth[0], c.Processes[scan.Partial]+c.Processes[scan.Unsandboxed]; got != want {
			t.Errorf("%d processes at depth 0, want %d", got, want)
		}
		if ratio, ok := c.Processes.Coverage(); ok != (n > unknown) || ratio < 0 || ratio > 1 {
			t.Errorf("coverage %v %v of %v", ratio, ok, c.Processes)
		}
	}
}

func TestCoverage(t *testing.T) {
	c := mixed().Count()
	if got, ok := c.Processes.Coverage(); !ok || got != 5./8 {
		t.Errorf("coverage %v %v, want 5 of 8", got, ok)
	}
	dark := newSnapshot()
	add(dark, scan.Unknown, scan.Denied, 0, 0)
	c = dark.Count()
	if _, ok := c.Processes.Coverage(); ok {
		t.Error("coverage of a host of which nothing is known")
	}
}

func TestCollectAllocatesNothingPerProcess(t *testing.T) {
	for name, s := range map[string]Scrape{
		"facts": {}, "rights": {Rights: true}, "hardening": {Hardening: true},
	} {
		allocs := func(n int) float64 {
			s.Snapshot = host(n)
			ch := make(chan prometheus.Metric, 1000)
			return testing.AllocsPerRun(20, func() {
				s.Collect(ch)
				for len(ch) > 0 {
					<-ch
				}
			})
		}
		if few, many := allocs(100), allocs(10_000); few != many {
			t.Errorf("%s: %v allocations for 100 processes, %v for 10 000", name, few, many)
		}
	}
	s := host(10_000)
	if n := testing.AllocsPerRun(20, func() { s.Count() }); n != 0 {
		t.Errorf("%v allocations to count 10 000 processes", n)
	}
}

func BenchmarkCollect(b *testing.B) {
	s := Scrape{Snapshot: host(10_000)}
	ch := make(chan prometheus.Metric, 1000)
	b.ReportAllocs()
	for b.Loop() {
		s.Collect(ch)
		for len(ch) > 0 {
			<-ch
		}
	}
}

func BenchmarkCount(b *testing.B) {
	s := host(10_000)
	b.ReportAllocs()
	for b.Loop() {
		s.Count()
	}
}
