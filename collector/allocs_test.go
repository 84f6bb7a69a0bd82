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
