// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"reflect"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

func TestWorkloadState(t *testing.T) {
	for _, c := range []struct {
		sandboxed, partial, unsandboxed, unknown int
		want                                     State
	}{
		{1, 0, 0, 0, Sandboxed},
		{0, 0, 3, 0, Unsandboxed},
		{1, 0, 1, 0, Partial},
		{1, 0, 1, 9, Partial},
		{0, 1, 0, 0, Partial},
		{5, 1, 0, 2, Partial},
		{1, 0, 0, 1, Unknown},
		{0, 0, 1, 1, Unknown},
		{0, 0, 0, 1, Unknown},
	} {
		w := WorkloadProcesses{}
		w.Processes[Sandboxed], w.Processes[Partial], w.Processes[Unsandboxed], w.Processes[Unknown] = c.sandboxed, c.partial, c.unsandboxed, c.unknown
		if got := w.State(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestByWorkload(t *testing.T) {
	s := &Snapshot{
		// Not in order, as a recorded snapshot may be; and nobody is in d.
		Workloads: []Workload{{Name: "b"}, {Name: "a"}, {Name: "b"}, {Name: "d"}},
		Processes: []Process{
			{State: Sandboxed, Workload: 0}, {State: Partial, Workload: 2}, {State: Unsandboxed, Workload: 1},
			{State: Unknown, Workload: NoWorkload}, {State: Unknown, Workload: 77},
		},
	}
	want := []WorkloadProcesses{{Name: "a"}, {Name: "b"}}
	want[0].Processes[Unsandboxed], want[1].Processes[Sandboxed], want[1].Processes[Partial] = 1, 1, 1
	want[0].Ineffective, want[1].Ineffective = access.No, access.No
	if got := s.ByWorkload(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if s.Workloads[0].Name != "b" {
		t.Error("the snapshot was changed")
	}
	if got := (&Snapshot{}).ByWorkload(); got != nil {
		t.Errorf("%+v without workloads", got)
	}
}

// A name is as trusted as the best of its workloads with a process.
func TestNaming(t *testing.T) {
	s := &Snapshot{
		Workloads: []Workload{
			{Name: "a"}, {Name: "a", Kind: Unit},
			{Name: "b", Kind: UserUnit}, {Name: "b"},
			{Name: "c", Kind: InContainer, Container: &Container{Name: "c"}}, {Name: "c", Kind: Unit},
			{Name: "d", Kind: InContainer, Container: &Container{Namespace: "shop", Name: "d"}},
			{Name: "e", Kind: InContainer},
		},
		Processes: []Process{{Workload: 0}, {Workload: 1}, {Workload: 2}, {Workload: 3}, {Workload: 4}, {Workload: 6}, {Workload: 7}},
	}
	want := []Naming{NamedByHost, NamedByUser, NamedByProgram, NamedByHost, NamedByProgram}
	for i, w := range s.ByWorkload() {
		if w.Naming != want[i] {
			t.Errorf("%s: %v, want %v", w.Name, w.Naming, want[i])
		}
	}
}

// A workload is ineffective if it is sandboxed and all of its processes are.
func TestWorkloadIneffective(t *testing.T) {
	const effective, ineffective, doubtful = 0, 1, 2
	s := &Snapshot{
		Kernel: Kernel{Landlock: Enabled, ABI: 6},
		Source: SourceInfo{Rules: "read"},
		Domains: []domainid.Domain{
			effective: {ID: 1, Parent: domainid.Outermost, Depth: 1,
				Lineage: domainid.LineageKnown, Handled: access.Rights{access.Scope: 1}},
			ineffective: {ID: 2, Parent: domainid.Outermost, Depth: 1,
				Lineage: domainid.LineageKnown, Handled: access.Rights{access.FS: 1}},
			doubtful: {ID: 3, Parent: domainid.Outermost, Depth: 1,
				Lineage: domainid.LineageKnown, Handled: access.Rights{access.FS: 1}},
		},
		Views: []domainid.View{{Domain: ineffective, Everywhere: []uint32{1 | access.Refer}},
			{Domain: doubtful, Doubt: domainid.RootChanging}},
	}
	type process struct {
		state  State
		domain int32
	}
	in := func(domain int32) process { return process{Sandboxed, domain} }
	for i, c := range []struct {
		processes []process
		want      access.Answer
	}{
		{[]process{in(ineffective)}, access.Yes},
		{[]process{in(ineffective), in(ineffective)}, access.Yes},
		{[]process{in(ineffective), in(effective)}, access.No},
		{[]process{in(effective)}, access.No},
		{[]process{in(ineffective), in(doubtful)}, access.Unknown},
		{[]process{in(doubtful), in(effective), in(domainid.Outermost)}, access.No},
		{[]process{in(domainid.Outermost)}, access.Unknown},
		{[]process{in(ineffective), {Unknown, domainid.Outermost}}, access.Unknown},
		{[]process{in(ineffective), {Unsandboxed, domainid.Outermost}}, access.No},
		{[]process{{Unsandboxed, domainid.Outermost}, {Unknown, domainid.Outermost}}, access.No},
		{[]process{{Unsandboxed, domainid.Outermost}}, access.No},
	} {
		s.Workloads = []Workload{{Name: "w"}, {Name: "w"}}
		s.Processes, s.Tasks = nil, nil
		for k, p := range c.processes {
			view := domainid.NoView
			for v := range s.Views {
				if s.Views[v].Domain == p.domain {
					view = int32(v)
				}
			}
			s.Tasks = append(s.Tasks, Task{State: p.state, Domain: p.domain, View: view})
			s.Processes = append(s.Processes,
				Process{State: p.state, Workload: int32(k % 2), FirstTask: int32(k), NumTasks: 1})
		}
		if got := s.ByWorkload(); len(got) != 1 || got[0].Ineffective != c.want {
			t.Errorf("case %d: %+v, want %v", i, got, c.want)
		}
	}
}

func TestWorkloadKindText(t *testing.T) {
	for _, k := range []WorkloadKind{Executable, Unit, UserUnit, InContainer} {
		var back WorkloadKind
		text, _ := k.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != k {
			t.Errorf("%s came back as %v: %v", text, back, err)
		}
	}
	var k WorkloadKind
	if k.UnmarshalText([]byte("service")) == nil {
		t.Error("an unknown kind is accepted")
	}
}
