// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// exampleRuns is a truth and the cells that state it: two runs in a sandbox, one of them
// older than a second, a launch, and a run that was partial or outside of a sandbox.
func exampleRuns() ([]runs.Cell, *Runs) {
	const second = uint64(time.Second)
	inside := Answer{State: scan.Sandboxed, Depth: 2, Exe: "/bin/a", UID: 7, Handled: fsRights}
	outside := Answer{State: scan.Unsandboxed, Exe: "/bin/a"}
	partly := Answer{State: scan.Partial, Exe: "/bin/a", Handled: fsRights}
	end := func(kind runs.Kind, pid int32, age uint64, can ...Answer) End {
		return End{Kind: kind, PID: pid, BornFrom: 10, BornTo: 20, AtFrom: 20 + age, AtTo: 30 + age, Can: can}
	}
	truth := &Runs{
		groups: Groups{{V2: 5, V1: 6, Path: "/g"}},
		Ends: []End{
			end(runs.Run, 1, 0, inside), end(runs.Run, 2, second, inside), end(runs.Launch, 3, 0, outside),
			end(runs.Run, 4, 0, outside, partly),
		},
	}
	cell := func(kind runs.Kind, pid int32, age uint64, a Answer) runs.Cell {
		return runs.Cell{
			Key: runs.Key{
				Kind: kind, State: a.State, Depth: a.Depth, Handled: a.Handled, CgroupID: 5, CgroupV1ID: 6,
				Cgroup: "/g", CgroupV1: "/g", Exe: a.Exe, ExeOrigin: scan.OfHost, UID: a.UID,
				MinAge: time.Duration(age),
			},
			Count: 1, Last: runs.Last{PID: pid, Start: 15, End: 25 + age},
		}
	}
	return []runs.Cell{
		cell(runs.Run, 1, 0, inside), cell(runs.Run, 2, second, inside), cell(runs.Launch, 3, 0, outside),
		cell(runs.Run, 4, 0, partly),
		{Key: runs.Key{CgroupID: 9}, Count: 3}, // of somebody else
	}, truth
}

var exampleAges = []time.Duration{time.Second}

func TestCompareRuns(t *testing.T) {
	cells, truth := exampleRuns()
	if found := CompareRuns(cells, truth, exampleAges); len(found) > 0 {
		t.Errorf("what is true: %q", found)
	}
	for name, c := range map[string]struct {
		change func(c []runs.Cell)
		want   string
	}{
		"one is missing":         {func(c []runs.Cell) { c[0].CgroupID, c[0].CgroupV1ID = 9, 9 }, "want 2 at least"},
		"one too many":           {func(c []runs.Cell) { c[0].Count = 2 }, "beyond the truth"},
		"another state":          {func(c []runs.Cell) { c[2].State = scan.Partial }, "want 1 at least"},
		"another depth":          {func(c []runs.Cell) { c[0].Depth = 1 }, "want 2 at least"},
		"other rights":           {func(c []runs.Cell) { c[0].Handled = netRights }, "want 2 at least"},
		"another executable":     {func(c []runs.Cell) { c[0].Exe = "/bin/b" }, "want 2 at least"},
		"another user":           {func(c []runs.Cell) { c[0].UID = 8 }, "want 2 at least"},
		"another kind":           {func(c []runs.Cell) { c[2].Kind = runs.Run }, "want 1 at least"},
		"no answer of a race":    {func(c []runs.Cell) { c[3].State = scan.Sandboxed }, "one of 2 answers"},
		"too young":              {func(c []runs.Cell) { c[1].MinAge = 0 }, "an age of"},
		"too old":                {func(c []runs.Cell) { c[0].MinAge = time.Second }, "an age of"},
		"another cgroup":         {func(c []runs.Cell) { c[0].CgroupID = 8 }, "are in the cgroup 8"},
		"another path":           {func(c []runs.Cell) { c[0].Cgroup = "/h" }, `("/h")`},
		"another v1 path":        {func(c []runs.Cell) { c[0].CgroupV1 = "" }, "v1 cgroup"},
		"folded":                 {func(c []runs.Cell) { c[0].Folded = true }, "folded true"},
		"a user's executable":    {func(c []runs.Cell) { c[0].ExeOrigin = scan.OfUser }, "origin user"},
		"the last was another":   {func(c []runs.Cell) { c[0].Last.PID = 3 }, "none of them"},
		"the last began later":   {func(c []runs.Cell) { c[0].Last.Start = 21 }, "none of them"},
		"the last ended earlier": {func(c []runs.Cell) { c[0].Last.End = 19 }, "none of them"},
	} {
		cells, truth := exampleRuns()
		c.change(cells)
		if found := strings.Join(CompareRuns(cells, truth, exampleAges), "\n"); !strings.Contains(found, c.want) {
			t.Errorf("%s: %q, want %q", name, found, c.want)
		}
	}
}

// Two races, of which one has the only answer that is left for it if the other one
// takes its second.
func TestCompareRunsFindsTheAnswers(t *testing.T) {
	cells, truth := exampleRuns()
	outside := cells[3]
	outside.State, outside.Handled, outside.Last.PID = scan.Unsandboxed, netRights, 5
	third := truth.Ends[3]
	third.PID, third.Can = 5, []Answer{third.Can[1], {State: scan.Unsandboxed, Exe: "/bin/a", Handled: netRights}}
	truth.Ends = append(truth.Ends, third)
	if found := CompareRuns(append(cells, outside), truth, exampleAges); len(found) > 0 {
		t.Errorf("%q", found)
	}
	cells[3].Count += 2
	if found := CompareRuns(cells, truth, exampleAges); len(found) == 0 {
		t.Error("more of one answer than ends that have it")
	}
}
