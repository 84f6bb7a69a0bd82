// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/truth"
)

const (
	rounds    = 7
	processes = 6000
	// mostShare is what the programs may take of a storm's processor time.
	mostShare = 0.03
)

// BenchmarkRuns holds what the kernel's programs take of storms of processes that end, as they
// measure it themselves, to what they may: on average for an exit and an exec, and in all.
func BenchmarkRuns(b *testing.B) {
	b.Run("alike", func(b *testing.B) {
		benchmark(b, truth.StormOptions{Processes: processes, Programs: 1},
			map[string]time.Duration{"exit": 2 * time.Microsecond, "exec": 2 * time.Microsecond})
	})
	// No two have the same cgroup, program and name: most have no room of their own.
	b.Run("unlike", func(b *testing.B) {
		benchmark(b, truth.StormOptions{Processes: processes, Cgroups: 10_000, Programs: 3_000},
			map[string]time.Duration{"exit": 3 * time.Microsecond, "exec": 4500 * time.Nanosecond})
	})
}

func benchmark(b *testing.B, o truth.StormOptions, most map[string]time.Duration) {
	f := feed(b)
	if err := f.Ask([]time.Duration{time.Second}, o.Cgroups > 0); err != nil {
		b.Fatal(err)
	}
	took, shares := map[string][]float64{}, []float64{}
	for range rounds {
		costs, cpu := storm(b, f, o)
		all := time.Duration(0)
		for event, c := range costs {
			took[event] = append(took[event], float64(c.Sum)/float64(c.Calls))
			all += c.Sum
		}
		shares = append(shares, float64(all)/float64(cpu))
	}
	b.ReportMetric(0, "ns/op") // leaves it out
	for event, c := range f.Costs() {
		average := quartile(took[event])
		b.ReportMetric(average, "ns/"+event)
		b.ReportMetric(float64(c.Longest), "max-ns/"+event)
		if bound, ok := most[event]; ok && average > float64(bound) {
			b.Errorf("%.0f ns for one %s on average, at most %d may be", average, event, bound)
		}
	}
	share := quartile(shares)
	b.ReportMetric(100*share, "%-of-storm")
	if share > mostShare {
		b.Errorf("%.2f %% of the storm's processor time, at most %.0f may be", 100*share, 100*mostShare)
	}
}

// feed returns what counts.
func feed(b *testing.B) *trace.Reader {
	b.Helper()
	source, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		b.Fatalf("this needs root, or CAP_BPF and CAP_PERFMON: %v", err)
	}
	defer source.Close()
	state, files, err := trace.Open(btf.NewCache(), source.Layout())
	if err != nil {
		b.Fatal(err)
	}
	f, err := trace.NewReader(state, files)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	})
	return f
}

// storm returns what the programs took beside one storm, and the processor time of the storm.
func storm(b *testing.B, f *trace.Reader, o truth.StormOptions) (map[string]trace.Cost, time.Duration) {
	b.Helper()
	dir := testenv.PublicDir(b)
	program, err := attack.Swarm(dir)
	if err != nil {
		b.Fatal(err)
	}
	s, err := truth.StartStorm(program, dir, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	before := f.Costs()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for more := true; more; {
		select {
		case <-s.Done:
			more = false
		case <-tick.C:
		case <-f.Filling():
		}
		if _, err := f.Drain(); err != nil {
			b.Fatal(err)
		}
	}
	_, cpu, err := s.Ended()
	if err != nil {
		b.Fatal(err)
	}
	costs := f.Costs()
	for event, c := range costs {
		costs[event] = trace.Cost{Calls: c.Calls - before[event].Calls, Sum: c.Sum - before[event].Sum}
	}
	return costs, cpu
}

// quartile is the lower one: what disturbs a measurement makes it longer.
func quartile(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/4]
}
