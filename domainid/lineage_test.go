// SPDX-License-Identifier: Apache-2.0

package domainid

import "testing"

func inferred(scans ...func(*Inference)) *Inference {
	in := NewInference()
	for _, report := range scans {
		in.Begin()
		report(in)
		in.End()
	}
	return in
}

func process(pid int32, start uint64, together bool, domains ...ID) func(*Inference) {
	return func(in *Inference) { in.Process(pid, start, domains, together) }
}

func TestInferenceConcludes(t *testing.T) {
	for _, c := range []struct {
		name   string
		scans  []func(*Inference)
		parent ID // of domain 2
		depth  int
	}{
		{"one process goes deeper",
			[]func(*Inference){process(7, 1, true, 1), process(7, 1, true, 2)}, 1, 2},
		{"one of its threads does",
			[]func(*Inference){process(7, 1, true, 1, 1), process(7, 1, false, 1, 2)}, 1, 2},
		{"two steps",
			[]func(*Inference){process(7, 1, true, 9), process(7, 1, true, 1), process(7, 1, true, 2)}, 1, 3},
		{"two steps, the second seen first in a thread",
			[]func(*Inference){process(7, 1, true, 9), process(7, 1, false, 9, 1), process(7, 1, true, 1), process(7, 1, false, 1, 2)}, 1, 3},
		{"a scan that could not read it between",
			[]func(*Inference){process(7, 1, true, 1), process(7, 1, false), process(7, 1, true, 2)}, 1, 2},
		{"it was not in one domain",
			[]func(*Inference){process(7, 1, false, 1, 3), process(7, 1, true, 2)}, None, 1},
		{"the scan was not complete",
			[]func(*Inference){process(7, 1, false, 1), process(7, 1, true, 2)}, None, 1},
		{"another process with the PID",
			[]func(*Inference){process(7, 1, true, 1), process(7, 2, true, 2)}, None, 1},
		{"it was gone from a scan",
			[]func(*Inference){process(7, 1, true, 1), process(8, 1, true, 1), process(7, 1, true, 2)}, None, 1},
		{"it was in none",
			[]func(*Inference){process(7, 1, false, None), process(7, 1, true, 2)}, None, 1},
		{"a first look",
			[]func(*Inference){process(7, 1, true, 2)}, None, 1},
	} {
		in := inferred(c.scans...)
		if p, d := in.Parent(2), in.Depth(2); p != c.parent || d != c.depth {
			t.Errorf("%s: parent %v, depth %d; want %v, %d", c.name, p, d, c.parent, c.depth)
		}
		if n := in.Conflicts(); n != 0 {
			t.Errorf("%s: %d conflicts", c.name, n)
		}
	}
}

// Input that no kernel gives is counted, and makes no circle.
func TestInferenceDropsContradictions(t *testing.T) {
	in := inferred(
		process(7, 1, true, 1), process(7, 1, true, 2), process(7, 1, true, 3), process(7, 1, true, 1),
	)
	if in.Conflicts() != 1 || in.Depth(1) != 1 {
		t.Errorf("circle: %d conflicts, depth %d", in.Conflicts(), in.Depth(1))
	}
	in = inferred(process(7, 1, true, 1), process(7, 1, false, None), process(7, 1, true, 2))
	if in.Conflicts() != 1 || in.Parent(2) != None {
		t.Errorf("out of a domain: %d conflicts, parent %v", in.Conflicts(), in.Parent(2))
	}
	in = NewInference()
	for d := ID(1); d < 200; d++ {
		in.Begin()
		in.Process(7, 1, []ID{d}, true)
		in.End()
		if in.Depth(d) > maxNesting {
			t.Fatalf("depth %d", in.Depth(d))
		}
	}
	if in.Conflicts() == 0 {
		t.Error("more layers than any kernel has, and no conflict")
	}
}

func TestInferenceForgets(t *testing.T) {
	in := inferred(process(7, 1, true, 1), process(7, 1, true, 2))
	if len(in.domains) != 2 {
		t.Errorf("%d domains: the one that 2 is nested in must stay", len(in.domains))
	}
	in.Begin()
	in.Process(8, 1, []ID{1}, true)
	in.End()
	if len(in.domains) != 1 || in.Depth(2) != 1 || len(in.processes) != 1 {
		t.Errorf("%d domains, depth %d, %d processes", len(in.domains), in.Depth(2), len(in.processes))
	}
	in.Begin()
	in.End()
	if len(in.domains) != 0 || len(in.processes) != 0 {
		t.Errorf("%d domains, %d processes on an empty host", len(in.domains), len(in.processes))
	}
}

func TestInferenceSteadyStateDoesNotAllocate(t *testing.T) {
	in := NewInference()
	ids := []ID{0, 0}
	turn := func() {
		in.Begin()
		for pid := range int32(1000) {
			ids[0], ids[1] = ID(pid%50+1), ID(pid%50+1)
			in.Process(pid, 1, ids, true)
		}
		in.End()
	}
	turn()
	if n := testing.AllocsPerRun(20, turn); n != 0 {
		t.Errorf("%v allocations for a scan in which nothing changed", n)
	}
}
