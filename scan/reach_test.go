// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// reachSnapshot has processes in and out of a domain that scopes signals, one of them with a
// worker outside.
func reachSnapshot() *Snapshot {
	s := &Snapshot{
		Kernel:  Kernel{Landlock: Enabled, ABI: 6, Rights: access.Exactly(access.Supported(6))},
		Source:  SourceInfo{Rules: "read"},
		Domains: []domainid.Domain{{ID: 1, Parent: -1, Depth: 1, Lineage: domainid.LineageKnown, Handled: access.Scope.Rights(2)}},
		Workloads: []Workload{
			{Name: "a", Kind: Unit}, {Name: "b", Kind: Unit},
		},
	}
	for i, p := range []struct {
		workload int32
		states   []State
		worker   bool
	}{
		{0, []State{Sandboxed, Sandboxed}, false}, {0, []State{Sandboxed}, true}, {1, []State{Sandboxed}, false},
		{1, []State{Unsandboxed}, false}, {1, []State{Sandboxed, Unsandboxed}, false},
	} {
		process := Process{PID: int32(i + 1), Workload: p.workload, State: p.states[0], Depth: 1,
			FirstTask: int32(len(s.Tasks)), NumTasks: int32(len(p.states)), FirstWorker: int32(len(s.Workers))}
		for _, state := range p.states {
			task := Task{TID: int32(len(s.Tasks) + 1), State: state, View: -1, Domain: -1}
			if state == Sandboxed {
				task.Domain, task.Depth, task.DepthExact = 0, 1, true
			} else if process.State == Sandboxed {
				process.State = Partial
			}
			s.Tasks = append(s.Tasks, task)
		}
		if p.worker {
			free := Place{State: Unsandboxed, Domain: -1}
			s.Workers = append(s.Workers, Worker{TID: 100, Real: free, Acting: free})
			process.NumWorkers = 1
		}
		s.Processes = append(s.Processes, process)
	}
	return s
}

type oneSnapshot struct{ *Snapshot }

func (o oneSnapshot) Scan(context.Context) (*Snapshot, error) { return o.Snapshot, nil }
func (o oneSnapshot) Close() error                            { return nil }

// A source that is asked for assets concludes of them, and counts sandboxed processes alone.
func TestAsking(t *testing.T) {
	assets := []domainid.Asset{{Name: "signals", Signal: true}, {Name: "sockets", AbstractUnix: true}}
	s := reachSnapshot()
	s.Conclude()
	source := Asking(oneSnapshot{s}, func() []domainid.Asset { return assets })
	if _, err := source.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts := s.CountAssets()
	if counts[0] != (AssetProcesses{domainid.OutOfReach: 2, domainid.WithinReach: 1}) {
		t.Errorf("signals: %v", counts[0])
	}
	if counts[1] != (AssetProcesses{domainid.WithinReach: 3}) {
		t.Errorf("sockets: %v", counts[1])
	}
	if byWorkload := s.AssetsByWorkload(); !slices.Equal(byWorkload[0], []int{1, 0, 0}) ||
		!slices.Equal(byWorkload[1], []int{2, 1, 0}) {
		t.Errorf("by workload: %v", byWorkload)
	}
	if reaches, inside := s.Reaches(&s.Processes[3]); inside || reaches != (domainid.Reaches{}) {
		t.Errorf("of one that is free: %v", reaches)
	}
	// Another source has looked at objects: its assets stay.
	source = Asking(oneSnapshot{s}, func() []domainid.Asset { t.Error("asked again"); return nil })
	if _, err := source.Scan(t.Context()); err != nil || len(s.Assets) != 2 {
		t.Errorf("%v, %v", s.Assets, err)
	}
}

// Concluded or not, a snapshot says the same.
func TestReachesWithoutConclusion(t *testing.T) {
	s, concluded := reachSnapshot(), reachSnapshot()
	for _, s := range []*Snapshot{s, concluded} {
		s.Assets = []domainid.Asset{{Name: "signals", Signal: true}, {Name: "sockets", AbstractUnix: true}}
	}
	concluded.Conclude()
	for i := range s.Processes {
		a, inside := s.Reaches(&s.Processes[i])
		b, also := concluded.Reaches(&concluded.Processes[i])
		if a != b || inside != also {
			t.Errorf("process %d: %v, concluded %v", i, a, b)
		}
	}
}
