// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"fmt"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// benchHost returns a host of so many processes in 100 workloads, every other one in one of
// 50 domains, as a source leaves it.
func benchHost(n int) *scan.Snapshot {
	s := &scan.Snapshot{Kernel: scan.Kernel{Landlock: scan.Enabled, ABI: 7}}
	for i := range 50 {
		s.Domains = append(s.Domains, domainid.Domain{
			Parent: domainid.Outermost, Handled: access.Rights{access.FS: uint32(i + 1)},
		})
	}
	for i := range 100 {
		s.Workloads = append(s.Workloads, scan.Workload{Name: fmt.Sprintf("w%02d", i)})
	}
	for i := range n {
		p := scan.Process{
			PID: int32(i + 1), PPID: int32(i / 2), State: scan.Unsandboxed, FirstTask: int32(i), NumTasks: 1,
			Workload: int32(i % 100),
		}
		task := scan.Task{TID: p.PID, State: scan.Unsandboxed, Domain: domainid.Outermost, View: domainid.NoView}
		if i%2 == 0 {
			p.State, p.Depth, p.MaxDepth = scan.Sandboxed, 1, 1
			task.State, task.Depth, task.DepthExact, task.Domain = scan.Sandboxed, 1, true, int32(i%50)
		}
		s.Processes, s.Tasks = append(s.Processes, p), append(s.Tasks, task)
	}
	return s
}

// BenchmarkStages is what each look at a snapshot of 1 000 processes costs.
func BenchmarkStages(b *testing.B) {
	s := benchHost(1000)
	s.Conclude()
	for _, stage := range []struct {
		name string
		run  func()
	}{
		{"conclude", s.Conclude},
		{"count", func() { s.Count() }},
		{"workloads", func() { s.ByWorkload() }},
		{"forest", func() { s.Forest() }},
	} {
		b.Run(stage.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stage.run()
			}
		})
	}
}

// What is worked out of a snapshot takes no memory for a process.
func TestStagesAllocateNothingPerProcess(t *testing.T) {
	few, many := benchHost(200), benchHost(10_000)
	few.Conclude()
	many.Conclude()
	for name, stage := range map[string]func(*scan.Snapshot){
		"conclude":  (*scan.Snapshot).Conclude,
		"count":     func(s *scan.Snapshot) { s.Count() },
		"workloads": func(s *scan.Snapshot) { s.ByWorkload() },
	} {
		allocs := func(s *scan.Snapshot) float64 { return testing.AllocsPerRun(10, func() { stage(s) }) }
		if a, b := allocs(few), allocs(many); b > a {
			t.Errorf("%s: %v allocations for 200 processes, %v for 10 000", name, a, b)
		}
	}
}
