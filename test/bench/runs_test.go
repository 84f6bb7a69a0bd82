// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/truth"
)

const (
	rounds    = 7
	processes = 6000
	// mostShare is what the programs may take of a storm's processor time, in percent.
	mostShare = 3
)

// BenchmarkRuns holds what the kernel's programs take of storms of processes that end, as they
// measure it themselves, to what they may: on average for an exit and an exec, and in all.
func BenchmarkRuns(b *testing.B) {
	part := &record.Part{
		Title:  "What counts processes that end",
		Method: "By the programs' own clocks, in storms; the budgets are of the lower quartile of seven.",
	}
	benchmark(b, part, "alike", truth.StormOptions{Processes: processes, Programs: 1},
		map[string]time.Duration{"exit": 2 * time.Microsecond, "exec": 2 * time.Microsecond})
	// No two have the same cgroup, program and name: most have no room of their own.
	benchmark(b, part, "unlike", truth.StormOptions{Processes: processes, Cgroups: 10_000, Programs: 3_000},
		map[string]time.Duration{"exit": 3 * time.Microsecond, "exec": 4500 * time.Nanosecond})
	keep(b, "runs", part)
}

// benchmark adds what came of storms of one kind to a part.
func benchmark(b *testing.B, part *record.Part, kind string, o truth.StormOptions, most map[string]time.Duration) {
	f := feed(b)
	defer func() {
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	}()
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
		shares = append(shares, 100*float64(all)/float64(cpu))
	}
	figure := func(subject, quantity, unit string, samples ...float64) {
		part.Figures = append(part.Figures, record.Figure{
			Subject: subject, Population: kind, Quantity: quantity, Unit: unit, Spread: record.Spreads(samples),
		})
	}
	costs := f.Costs()
	for _, event := range slices.Sorted(maps.Keys(costs)) {
		figure(event, "on average", "ns", took[event]...)
		figure(event, "longest", "ns", float64(costs[event].Longest))
		if bound, ok := most[event]; ok {
			part.Budgets = append(part.Budgets, record.Budget{
				What: "one " + event + " of processes that are " + kind, Unit: "ns", Measured: quartile(took[event]), Bound: float64(bound),
			})
		}
	}
	figure("all", "of the storm's processor time", "%", shares...)
	part.Budgets = append(part.Budgets, record.Budget{
		What: "of a storm's processor time, all, " + kind, Unit: "%", Measured: quartile(shares), Bound: mostShare,
	})
}

// feed returns what counts, which the caller closes.
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
