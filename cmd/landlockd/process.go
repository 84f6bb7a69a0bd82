// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

func isPID(n int64) bool { return n > 0 && n <= math.MaxInt32 }

// subject is the process that a command is about.
type subject struct {
	// pid is its PID, or with threads the number of one of its threads.
	pid     int32
	threads bool
	// name is that of its program or workload, if it is not wanted by its PID: not of the process
	// with the PID asker, if another one has it.
	name  string
	asker int32
}

// find returns the process, or why there is none, and the PIDs to look for again.
func (w *subject) find(s *scan.Snapshot) (p *scan.Process, again []int32, err error) {
	switch {
	case w.name != "":
		p, err = named(s, w.name, w.asker)
		return p, nil, err
	case w.threads:
		p = withThread(s, w.pid)
	default:
		p = s.Find(w.pid)
	}
	if p == nil {
		return nil, []int32{w.pid}, noProcess(s, w.pid)
	}
	return p, []int32{p.PID}, nil
}

// process returns the snapshot to look at and one process of it. If that is not there it
// returns the snapshot and an error.
func (l *look) process(w subject) (*scan.Snapshot, *scan.Process, error) {
	var p *scan.Process
	var missing error
	snap, err := l.until(func(snap *scan.Snapshot) (known bool, about []int32) {
		if p, about, missing = w.find(snap); p == nil {
			return len(about) == 0, about
		}
		return settled(snap, p), about
	})
	if err != nil {
		return nil, nil, undecided(err)
	}
	if p == nil {
		return snap, nil, codeError{exitUndecided, missing}
	}
	return snap, p, nil
}

// withThread returns the process that has a thread, by the thread's number: of the first
// thread that is the PID.
func withThread(s *scan.Snapshot, tid int32) *scan.Process {
	if p := s.Find(tid); p != nil {
		return p
	}
	for i := range s.Processes {
		p := &s.Processes[i]
		isTask := func(t scan.Task) bool { return t.TID == tid }
		if slices.ContainsFunc(s.TasksOf(p), isTask) || isWorker(s, p, tid) {
			return p
		}
	}
	return nil
}

func isWorker(s *scan.Snapshot, p *scan.Process, tid int32) bool {
	return slices.ContainsFunc(s.WorkersOf(p), func(w scan.Worker) bool { return w.TID == tid })
}

// threadOf returns in words that a number is of a thread of a process, not its PID.
func threadOf(s *scan.Snapshot, p *scan.Process, tid int32) string {
	if isWorker(s, p, tid) {
		return fmt.Sprintf("%d is a thread that the kernel made for process %d", tid, p.PID)
	}
	return fmt.Sprintf("%d is a thread of process %d", tid, p.PID)
}

// noProcess returns why there is no process with a PID.
func noProcess(s *scan.Snapshot, pid int32) error {
	if p := withThread(s, pid); p != nil {
		return fmt.Errorf("%s: give that PID", threadOf(s, p, pid))
	}
	if slices.ContainsFunc(s.Tasks, func(t scan.Task) bool { return t.TID == 0 }) {
		return fmt.Errorf("there is no process %d in this snapshot; it may be one of the threads "+
			"that a snapshot leaves out where those of a process are alike", pid)
	}
	return fmt.Errorf("there is no process %d: it has ended, is a kernel thread, "+
		"or cannot be seen from here", pid)
}

// settled reports whether another look could find nothing more about a process. It could
// if the process is just being made, or about to end, or if a budget left out its domain
// or its rules, which the next scan reads.
func settled(s *scan.Snapshot, p *scan.Process) bool {
	var leftOut domainid.Doubt = domainid.RulesUnread
	if s.DomainsUnread > 0 {
		leftOut |= domainid.LayersUnknown
	}
	sandbox, _ := s.SandboxOf(p)
	return p.State != scan.Unknown && (p.Exe != "" || p.ExeCut) && sandbox.Doubt&leftOut == 0
}
