// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Who gives the number of a thread learns whose it is.
func TestNoProcess(t *testing.T) {
	s := &scan.Snapshot{
		Processes: []scan.Process{
			{PID: 10, FirstTask: 0, NumTasks: 1},
			{PID: 20, FirstTask: 1, NumTasks: 2, FirstWorker: 0, NumWorkers: 1},
		},
		Tasks:   []scan.Task{{TID: 10}, {TID: 20}, {TID: 21}},
		Workers: []scan.Worker{{TID: 22}},
	}
	for pid, want := range map[int32]string{
		21: "21 is a thread of process 20: give that PID",
		22: "22 is a thread that the kernel made for process 20: give that PID",
		23: "there is no process 23: it has ended, is a kernel thread, or cannot be seen from here",
	} {
		if got := noProcess(s, pid).Error(); got != want {
			t.Errorf("%d: %s, want %s", pid, got, want)
		}
	}
}

// A thread stands for its process where that is what was asked for.
func TestWithThread(t *testing.T) {
	s := &scan.Snapshot{
		Processes: []scan.Process{
			{PID: 10, NumTasks: 1},
			{PID: 20, FirstTask: 1, NumTasks: 2, NumWorkers: 1},
		},
		Tasks:   []scan.Task{{TID: 10}, {TID: 20}, {TID: 21}},
		Workers: []scan.Worker{{TID: 22}},
	}
	for tid, want := range map[int32]int32{10: 10, 20: 20, 21: 20, 22: 20, 23: 0} {
		p := withThread(s, tid)
		if want == 0 && p != nil || want != 0 && (p == nil || p.PID != want) {
			t.Errorf("%d: %v, want process %d", tid, p, want)
		}
	}
	// A recorded snapshot may not have them.
	s.Tasks[1].TID, s.Tasks[2].TID = 0, 0
	if err := noProcess(s, 21).Error(); !strings.Contains(err, "leaves out") || strings.Contains(err, "ended") {
		t.Error(err)
	}
}

// What the next look may find is looked for, and nothing else.
func TestSettled(t *testing.T) {
	kernel := scan.Kernel{Landlock: scan.Enabled, ABI: 6, Rights: access.Exactly(access.Supported(6))}
	files := []domainid.Domain{{ID: 1, Parent: -1, Depth: 1, Lineage: domainid.LineageKnown, Handled: access.Rights{access.FS: 1}}}
	view := []domainid.View{{Domain: 0, Everywhere: []uint32{0}}}
	inside := scan.Task{View: 0, Depth: 1, DepthExact: true, State: scan.Sandboxed}
	unread, lost := inside, inside
	unread.View, lost.Domain, lost.View = domainid.NoView, domainid.Outermost, domainid.NoView
	for name, c := range map[string]struct {
		exe     string
		state   scan.State
		task    scan.Task
		leftOut int
		want    bool
	}{
		"all known":        {"/a", scan.Sandboxed, inside, 0, true},
		"others left out":  {"/a", scan.Sandboxed, inside, 5, true},
		"no executable":    {"", scan.Sandboxed, inside, 0, false},
		"state unknown":    {"/a", scan.Unknown, scan.Task{State: scan.Unknown}, 0, false},
		"rules unread":     {"/a", scan.Sandboxed, unread, 0, false},
		"domain left out":  {"/a", scan.Sandboxed, lost, 1, false},
		"domain not known": {"/a", scan.Sandboxed, lost, 0, true},
		"in no domain":     {"/a", scan.Unsandboxed, scan.Task{State: scan.Unsandboxed}, 5, true},
	} {
		s := &scan.Snapshot{
			Kernel: kernel, Source: scan.SourceInfo{Rules: "read"}, Domains: files, Views: view, DomainsUnread: c.leftOut,
			Processes: []scan.Process{{PID: 10, Exe: c.exe, State: c.state, NumTasks: 1}}, Tasks: []scan.Task{c.task},
		}
		if got := settled(s, &s.Processes[0]); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
