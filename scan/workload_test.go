// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"reflect"
	"testing"
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
