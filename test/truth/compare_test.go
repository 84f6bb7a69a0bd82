// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

var (
	fsRights  = access.Rights{access.FS: 0x2001}
	netRights = access.Rights{access.Net: 3}
	allRights = access.Rights{access.FS: 0x2004, access.Net: 1, access.Scope: 2}
	// readRights are those to read files, and refer with them.
	readRights = access.Rights{access.FS: 0x2004}
)

func in(domain int32) scan.Place { return scan.Place{State: scan.Sandboxed, Domain: domain} }

// example is a truth and the snapshot that states it: process 10 is partial (one
// thread free, one in a domain of its own), 20 is sandboxed with two threads in
// sibling domains nested in one, and 30 is a zombie. Process 20 has a worker in
// the domain of its first task, and one in that of both tasks' parent, outside.
func example() (*scan.Snapshot, *Truth) {
	truth := &Truth{
		Layers: []access.Rights{fsRights, netRights, allRights, readRights},
		Processes: []Process{
			{
				PID: 10, PPID: 1, UserNS: 7, Exe: "/bin/a", Comm: "a", BornFrom: 100, BornTo: 200,
				Tasks: []Task{
					{TID: 10, BornFrom: 100, BornTo: 200, Tried: 5},
					{TID: 11, Layers: []uint32{1}, UID: 3, NoNewPrivs: true, Seccomp: 2, BornFrom: 300, BornTo: 400, Tried: 5, Denied: 1},
				},
			},
			{
				PID: 20, PPID: 10, UserNS: 8, Exe: "/bin/b", Comm: "b", BornFrom: 500, BornTo: 600,
				Tasks: []Task{
					{TID: 20, Layers: []uint32{2, 3}, UID: 5, NoNewPrivs: true, BornFrom: 500, BornTo: 600, Tried: 5},
					{TID: 21, Layers: []uint32{2, 4}, UID: 5, NoNewPrivs: true, BornFrom: 500, BornTo: 600, Tried: 5, Denied: 4},
				},
				Workers: []Worker{
					{TID: 22, Layers: []uint32{2, 3}, BornFrom: 600, BornTo: 700},
					{TID: 23, Layers: []uint32{2}, BornFrom: 600, BornTo: 700},
				},
			},
		},
		Gone: []int32{30},
	}
	known := domainid.LineageKnown
	snap := &scan.Snapshot{
		Kernel: scan.Kernel{Landlock: scan.Enabled, ABI: 7},
		Source: scan.SourceInfo{Rules: "read"},
		Processes: []scan.Process{
			{
				PID: 10, PPID: 1, Start: 150, Comm: scan.Comm{'a'}, Exe: "/bin/a", UserNS: 7,
				State: scan.Partial, MaxDepth: 1, FirstTask: 0, NumTasks: 2,
				NoNewPrivs: scan.OfSome, Seccomp: scan.OfSome, UIDsDiffer: true,
			},
			{
				PID: 20, PPID: 10, Start: 550, Comm: scan.Comm{'b'}, Exe: "/bin/b", UID: 5, UserNS: 8, NoNewPrivs: scan.OfAll,
				State: scan.Sandboxed, Depth: 2, MaxDepth: 2, FirstTask: 2, NumTasks: 2, NumWorkers: 2,
			},
		},
		Tasks: []scan.Task{
			{TID: 10, Domain: -1, View: -1, Start: 150, State: scan.Unsandboxed},
			{TID: 11, Domain: 0, View: 0, UID: 3, Start: 350, State: scan.Sandboxed, Hardening: scan.NoNewPrivs | scan.SeccompFilter},
			{TID: 20, Domain: 2, View: 1, UID: 5, Start: 550, State: scan.Sandboxed, Hardening: scan.NoNewPrivs},
			{TID: 21, Domain: 3, View: 2, UID: 5, Start: 560, State: scan.Sandboxed, Hardening: scan.NoNewPrivs},
		},
		Workers: []scan.Worker{
			{TID: 22, Start: 650, Real: in(2), Acting: in(2)},
			{TID: 23, Start: 650, Real: in(1), Acting: in(1)},
		},
		// The layer of task 20 allows to read files everywhere.
		Views: []domainid.View{{Domain: 0}, {Domain: 2, Everywhere: []uint32{0, 4}}, {Domain: 3}},
		Domains: []domainid.Domain{
			{ID: 0xa, Parent: -1, Depth: 1, Lineage: known, Handled: fsRights},
			{ID: 0xb, Parent: -1, Depth: 1, Lineage: known, Handled: netRights},
			{ID: 0xc, Parent: 1, Depth: 2, Lineage: known, Handled: allRights},
			{ID: 0xd, Parent: 1, Depth: 2, Lineage: known, Handled: readRights},
		},
	}
	return snap, truth
}

func TestCompareAgrees(t *testing.T) {
	snap, truth := example()
	for _, m := range Compare(snap, truth, Config{}) {
		t.Error(m)
	}
}

// TestCompareFinds makes one thing untrue at a time.
func TestCompareFinds(t *testing.T) {
	tests := map[string]struct {
		spoil func(*scan.Snapshot)
		want  string // in the text of some mismatch
	}{
		"process missing": {func(s *scan.Snapshot) {
			s.Processes, s.Tasks, s.Workers = s.Processes[:1], s.Tasks[:2], nil
		}, "process 20: presence is none"},
		"zombie shown": {func(s *scan.Snapshot) {
			s.Processes = append(s.Processes, scan.Process{PID: 30, FirstTask: 4})
		}, "process 30: presence is a process with 0 tasks"},
		"task missing": {func(s *scan.Snapshot) { s.Processes[1].NumTasks-- }, "task 21 of process 20: presence is none"},
		"task too many": {func(s *scan.Snapshot) {
			s.Tasks = append(s.Tasks, scan.Task{TID: 25, Domain: -1, View: -1})
			s.Processes[1].NumTasks++
		}, "task 25 of process 20: presence is a live task, want none"},
		"process state":   {func(s *scan.Snapshot) { s.Processes[0].State = scan.Sandboxed }, "process 10: state is sandboxed, want partial"},
		"process unknown": {func(s *scan.Snapshot) { s.Processes[0].State = scan.Unknown }, "process 10: state is unknown, want partial"},
		"process reason":  {func(s *scan.Snapshot) { s.Processes[0].Reason = scan.Changing }, "process 10: reason is changing"},
		"task state":      {func(s *scan.Snapshot) { s.Tasks[1].State = scan.Unsandboxed }, "task 11 of process 10: state is unsandboxed, want sandboxed"},
		"task reason":     {func(s *scan.Snapshot) { s.Tasks[1].Reason = scan.Denied }, "task 11 of process 10: reason is denied"},
		"depth":           {func(s *scan.Snapshot) { s.Processes[1].Depth = 1 }, "process 20: depth is 1, want 2"},
		"depth of partial": {func(s *scan.Snapshot) { s.Processes[0].Depth = 1 },
			"process 10: depth is 1, want 0"},
		"max depth":       {func(s *scan.Snapshot) { s.Processes[0].MaxDepth = 0 }, "process 10: max depth is 0, want 1"},
		"siblings merged": {func(s *scan.Snapshot) { s.Tasks[3].Domain, s.Views[2].Domain = 2, 2 }, "task 21 of process 20: domain is c, that of layer 3, want another for layer 4"},
		"domain split": {func(s *scan.Snapshot) {
			d := s.Domains[1]
			d.ID = 0xe
			s.Domains = append(s.Domains, s.Domains[3])
			s.Domains[3], s.Domains[4].Parent = d, 3
			s.Tasks[3].Domain, s.Views[2].Domain = 4, 4
		}, "task 21 of process 20: domain is e, want b, as in other tasks of layer 2"},
		"IDs equal":       {func(s *scan.Snapshot) { s.Domains[3].ID = 0xc }, "ID of domain 3 is c, want one of its own"},
		"no ID":           {func(s *scan.Snapshot) { s.Domains[0].ID = 0 }, "ID of domain 0 is 0"},
		"chain too short": {func(s *scan.Snapshot) { s.Domains[2].Parent = -1 }, "lineage is no domain at depth 1, want that of layer 2"},
		"chain too long":  {func(s *scan.Snapshot) { s.Domains[1].Parent = 0 }, "lineage is domain a outside of all others, want a chain of 2"},
		"other parent":    {func(s *scan.Snapshot) { s.Domains[3].Parent = 0 }, "domain is a, that of layer 1, want another for layer 2"},
		"free task in a domain": {func(s *scan.Snapshot) { s.Tasks[0].Domain = 0 },
			"task 10 of process 10: lineage is domain a outside of all others, want a chain of 0"},
		"no domain":       {func(s *scan.Snapshot) { s.Tasks[1].Domain, s.Tasks[1].View = -1, -1 }, "task 11 of process 10: lineage is no domain at depth 1"},
		"handled":         {func(s *scan.Snapshot) { s.Domains[0].Handled[access.FS] = 1 }, "handled rights at depth 1"},
		"handled scope":   {func(s *scan.Snapshot) { s.Domains[2].Handled[access.Scope] = 0 }, "handled rights at depth 2"},
		"domain depth":    {func(s *scan.Snapshot) { s.Domains[0].Depth = 2 }, "depth of domain a is 2, want 1"},
		"lineage unknown": {func(s *scan.Snapshot) { s.Domains[0].Lineage = domainid.LineageInferred }, "lineage of domain a is inferred, want known"},
		"parent behind":   {func(s *scan.Snapshot) { s.Domains[1].Parent = 3 }, "parent of domain 1 is 3, want a domain before it"},
		"domain beyond":   {func(s *scan.Snapshot) { s.Tasks[1].Domain = 9 }, "domain is 9, want below 4"},
		"tasks overlap":   {func(s *scan.Snapshot) { s.Processes[1].FirstTask = 1 }, "process 20: tasks is [1, +2]"},
		"process order": {func(s *scan.Snapshot) {
			s.Processes[0].PID, s.Processes[1].PID = 20, 10
		}, "process 10: order is not above the one before"},
		"task order": {func(s *scan.Snapshot) {
			s.Tasks[2], s.Tasks[3] = s.Tasks[3], s.Tasks[2]
		}, "task 20 of process 20: order is not above the one before"},
		"ppid":        {func(s *scan.Snapshot) { s.Processes[1].PPID = 1 }, "process 20: PPID is 1, want 10"},
		"comm":        {func(s *scan.Snapshot) { s.Processes[1].Comm = scan.Comm{'c'} }, `process 20: comm is "c", want "b"`},
		"exe":         {func(s *scan.Snapshot) { s.Processes[1].Exe = "" }, `process 20: executable is "", want "/bin/b"`},
		"task uid":    {func(s *scan.Snapshot) { s.Tasks[1].UID = 4 }, "task 11 of process 10: UID is 4, want 3"},
		"uids":        {func(s *scan.Snapshot) { s.Processes[0].UIDsDiffer = false }, `process 10: UIDs is "[0]", want "[0 3]"`},
		"uids differ": {func(s *scan.Snapshot) { s.Processes[1].UIDsDiffer = true }, "process 20: whether UIDs differ is true, want false"},
		"hardening":   {func(s *scan.Snapshot) { s.Tasks[0].Hardening = scan.NoNewPrivs }, "task 10 of process 10: hardening is 1, want 0"},
		"granted":     {func(s *scan.Snapshot) { s.Views[1].Everywhere = nil }, "task 20 of process 20: restricts fs.read_file is yes, want no"},
		"not granted": {func(s *scan.Snapshot) { s.Views[2].Everywhere = []uint32{0, 4} },
			"task 21 of process 20: restricts fs.read_file is no, want yes"},
		"unread": {func(s *scan.Snapshot) { s.Tasks[1].View = domainid.NoView },
			"task 11 of process 10: restricts fs.execute is unknown [rules_unread], want yes"},
		"moved": {func(s *scan.Snapshot) { s.Views[1].Doubt = domainid.RootChanging },
			"task 20 of process 20: restricts fs.read_file is unknown [root_changing], want no"},
		"process restricts": {func(s *scan.Snapshot) { s.Views[0].Everywhere = []uint32{1} },
			"process 10: restricts fs.execute is no, want yes"},
		"view of another":  {func(s *scan.Snapshot) { s.Tasks[1].View = 1 }, "view is 1, want one of domain 0"},
		"view beyond":      {func(s *scan.Snapshot) { s.Tasks[1].View = 3 }, "view is 3, want one of domain 0"},
		"worker missing":   {func(s *scan.Snapshot) { s.Processes[1].NumWorkers-- }, "task 23 of process 20: presence is none, want a worker"},
		"worker not found": {func(s *scan.Snapshot) { s.Processes[1].NumWorkers-- }, "process 20: worker outside is no, want yes"},
		"worker too many":  {func(s *scan.Snapshot) { s.Workers[1].TID = 24 }, "task 24 of process 20: presence is a worker, want none"},
		"worker order":     {func(s *scan.Snapshot) { s.Workers[0].TID = 24 }, "task 23 of process 20: order is not above"},
		"worker start":     {func(s *scan.Snapshot) { s.Workers[0].Start = 701 }, "task 22 of process 20: start is 701"},
		"worker inside": {func(s *scan.Snapshot) { s.Workers[1].Real, s.Workers[1].Acting = in(2), in(2) },
			"task 23 of process 20: outside is no, want yes"},
		"worker outside": {func(s *scan.Snapshot) { s.Workers[0].Acting = scan.Place{State: scan.Unsandboxed, Domain: -1} },
			"task 22 of process 20: outside is yes, want no"},
		"worker acts free": {func(s *scan.Snapshot) { s.Workers[1].Acting = scan.Place{State: scan.Unsandboxed, Domain: -1} },
			"task 23 of process 20: state of its acting credentials is unsandboxed, want sandboxed"},
		"worker unknown": {func(s *scan.Snapshot) { s.Workers[0].Real = scan.Place{Domain: -1} },
			"task 22 of process 20: state of its real credentials is unknown, want sandboxed"},
		"worker beyond":   {func(s *scan.Snapshot) { s.Workers[0].Real.Domain = 4 }, "domain is 4, want below 4"},
		"workers overlap": {func(s *scan.Snapshot) { s.Processes[1].FirstWorker = 1 }, "process 20: workers is [1, +2]"},
		"uid":             {func(s *scan.Snapshot) { s.Processes[1].UID = 0 }, "process 20: UID is 0, want 5"},
		"user ns":         {func(s *scan.Snapshot) { s.Processes[1].UserNS = 7 }, "process 20: user namespace is 7, want 8"},
		"nnp":             {func(s *scan.Snapshot) { s.Processes[1].NoNewPrivs = scan.OfSome }, "process 20: no_new_privs is some, want all"},
		"seccomp":         {func(s *scan.Snapshot) { s.Processes[1].Seccomp = scan.OfSome }, "process 20: seccomp is some, want none"},
		"process start":   {func(s *scan.Snapshot) { s.Processes[1].Start = 499 }, "process 20: start is 499, want between 500 and 600"},
		"task start":      {func(s *scan.Snapshot) { s.Tasks[1].Start = 401 }, "task 11 of process 10: start is 401"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snap, truth := example()
			test.spoil(snap)
			found := Compare(snap, truth, Config{})
			for _, m := range found {
				if strings.Contains(m.String(), test.want) {
					return
				}
			}
			t.Errorf("found %v, want one with %q", found, test.want)
		})
	}
}

func TestCompareLeavesOut(t *testing.T) {
	snap, truth := example()
	snap.Domains[3].Parent = domainid.Outermost
	snap.Domains[3].Depth, snap.Processes[1].Depth = 1, 1
	snap.Domains[2].Handled = access.Rights{}
	snap.Processes[0].Start, snap.Tasks[0].Start = 80, 80 // born from 100 on: 80 in units of 40
	if found := Compare(snap, truth, Config{NoLineage: true, NoHandled: true, StartUnit: 40, NoViews: true, NoActing: true}); len(found) > 0 {
		t.Errorf("without lineage and rights, start times rounded: %v", found)
	}
	if found := Compare(snap, truth, Config{NoLineage: true, NoHandled: true, StartUnit: 10, NoViews: true, NoActing: true}); len(found) != 2 {
		t.Errorf("two start times that are wrong even if rounded to 10 ns: %v", found)
	}
	snap.Tasks[2].View, snap.Workers[1].Acting = domainid.NoView, scan.Place{Domain: -1}
	if found := Compare(snap, truth, Config{NoLineage: true, NoHandled: true, StartUnit: 40, NoViews: true, NoActing: true}); len(found) > 0 {
		t.Errorf("without views, and of workers one set of credentials: %v", found)
	}
	if found := Compare(snap, truth, Config{NoLineage: true, NoHandled: true, StartUnit: 40, NoViews: true}); len(found) == 0 {
		t.Error("unknown credentials of a worker are believed")
	}
	snap.Tasks[2].Domain, snap.Tasks[2].View = 0, 0
	if found := Compare(snap, truth, Config{NoDomains: true, StartUnit: 40, NoViews: true, NoActing: true}); len(found) > 0 {
		t.Errorf("without domains: %v", found)
	}
	if found := Compare(snap, truth, Config{NoLineage: true, NoHandled: true, StartUnit: 40, NoViews: true, NoActing: true}); len(found) == 0 {
		t.Error("a shared domain was not found without lineage")
	}
}
