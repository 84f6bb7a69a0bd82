// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

// stays judges snapshots that follow each other, of processes that nothing else is known
// of, by what Landlock promises: nobody leaves a domain. A task only moves to a domain
// nested in its own. From ABI 8 on (LANDLOCK_RESTRICT_SELF_TSYNC) a thread may also get the
// domain of another thread of its process, whatever its own was; even then, no task of a
// process leaves a domain that all of them were in.
type stays struct {
	processes map[processName]*staying

	// scans are snapshots; again are statements on tasks that were seen before in a
	// domain, each of which could have been false; deeper of them are on tasks that are in
	// more layers than before, and overridden on such as got the domain of another thread.
	scans, again, deeper, overridden int
	// unknown are processes, each time, of which nothing is said. joined are denials
	// whose domain was found again.
	unknown, joined int
	wrong           []string
}

type processName struct {
	pid   int32
	start uint64
}

type taskName struct {
	process     processName
	tid         int32
	start, exec uint64
}

// layers are the domains that a task is in, the outermost first. An ID is None where IDs
// do not name domains beyond one snapshot.
type layers []domainid.ID

func (l layers) beginsWith(other layers) bool {
	return len(l) >= len(other) && slices.Equal(l[:len(other)], other)
}

// staying is what is known of a process.
type staying struct {
	// base are the layers that all of its tasks were in.
	base layers
	// latest are those of each task that it ever had.
	latest map[taskName]layers
	// daemon: it is landlockd, which stays in one domain for the whole time.
	daemon bool
	// overridden: a thread got the domain of another one.
	overridden bool
}

func newStays() *stays {
	return &stays{processes: map[processName]*staying{}}
}

func (s *stays) String() string {
	return fmt.Sprintf("%d snapshots; %d statements on tasks seen before in a domain, %d of them deeper, %d overridden by "+
		"another thread; %d times nothing is said of a process; domains of %d denials found again; %d false",
		s.scans, s.again, s.deeper, s.overridden, s.unknown, s.joined, len(s.wrong))
}

// look judges a snapshot by those before, and by denials that were read before it was begun.
func (s *stays) look(snap *scan.Snapshot, before []denials.Denial) {
	s.scans++
	for i := range snap.Processes {
		p := &snap.Processes[i]
		if p.State == scan.Unknown {
			s.unknown++
			continue
		}
		s.process(snap, p)
	}
	if snap.Source.IDs == kernelIDs {
		s.joins(before, snap)
	}
}

// kernelIDs: IDs are the kernel's, and name domains for as long as it runs.
const kernelIDs = "kernel"

func (s *stays) process(snap *scan.Snapshot, p *scan.Process) {
	name := processName{p.PID, p.Start}
	known := s.processes[name]
	first := known == nil
	if first {
		known = &staying{latest: map[taskName]layers{}, daemon: p.Comm.String() == "landlockd"}
		s.processes[name] = known
	}
	now := map[taskName]layers{}
	complete := true
	var common layers
	for i, task := range snap.TasksOf(p) {
		at, ok := layersOf(snap, &task)
		if !ok {
			complete = false
			continue
		}
		now[taskName{name, task.TID, task.Start, p.Exec}] = at
		if i == 0 {
			common = at
		}
		common = commonLayers(common, at)
		if !at.beginsWith(known.base) {
			s.errorf("process %d: task %d is in %v, and all its tasks were in %v", p.PID, task.TID, at, known.base)
		}
	}
	for task, at := range now {
		s.task(snap, known, task, at)
	}
	for task, at := range now {
		known.latest[task] = at
	}
	if complete && (first || len(common) > len(known.base)) {
		known.base = common
	}
}

// task judges what is said of one task.
func (s *stays) task(snap *scan.Snapshot, known *staying, name taskName, at layers) {
	before, seen := known.latest[name]
	if !seen || len(before) == 0 {
		return
	}
	if !known.daemon {
		s.again++
	}
	if at.beginsWith(before) {
		if len(at) > len(before) {
			s.deeper++
		}
		return
	}
	if snap.Kernel.ABI >= abiTSync {
		for other, l := range known.latest {
			if other != name && at.beginsWith(l) {
				s.overridden++
				known.overridden = true
				return
			}
		}
	}
	s.errorf("process %d: task %d was in %v, and is in %v", name.process.pid, name.tid, before, at)
}

// abiTSync is the first ABI with LANDLOCK_RESTRICT_SELF_TSYNC.
const abiTSync = 8

// joins looks for the domains of denials, which were read before the snapshot was begun, in
// what it says of the tasks that were denied.
func (s *stays) joins(all []denials.Denial, snap *scan.Snapshot) {
	for _, d := range all {
		p := snap.Find(d.PID)
		other := p == nil || d.Start != 0 && p.Start != d.Start || snap.Time.Sub(d.Time) > lately
		if d.PID == 0 || other || p.State == scan.Unknown || actsForOthers(d) {
			continue
		}
		if known := s.processes[processName{p.PID, p.Start}]; known != nil && known.overridden {
			continue
		}
		var chains []layers
		found := false
		for _, task := range snap.TasksOf(p) {
			if at, ok := layersOf(snap, &task); ok && (d.TID == 0 || task.TID == d.TID) {
				chains = append(chains, at)
				found = found || slices.Contains(at, d.Domain)
			}
		}
		switch {
		case found:
			s.joined++
		case len(chains) > 0 && (d.TID != 0 || len(chains) == int(p.NumTasks)):
			s.errorf("process %d, task %d was denied %v by %v, and it is in %v", d.PID, d.TID, d.Blockers, d.Domain, chains)
		}
	}
}

// lately is how old a denial may be, so that its PID is not another process's by now where
// the process's start is not known (audit).
const lately = time.Minute

// actsForOthers: what denied may be the domain of another task than of the one that acted, of
// a tracer or of who is to get a signal.
func actsForOthers(d denials.Denial) bool {
	return slices.Contains(d.Blockers, "ptrace") || slices.Contains(d.Blockers, "scope.signal")
}

func (s *stays) errorf(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf("snapshot %d: ", s.scans)+fmt.Sprintf(format, args...))
}

// layersOf returns the layers of a task, and whether they are known.
func layersOf(snap *scan.Snapshot, task *scan.Task) (layers, bool) {
	switch {
	case task.State == scan.Unsandboxed:
		return nil, true
	case task.State == scan.Unknown || task.Domain == domainid.Outermost || !task.DepthExact:
		return nil, false
	}
	var l layers
	for at := task.Domain; at != domainid.Outermost; at = snap.Domains[at].Parent {
		id := snap.Domains[at].ID
		if snap.Source.IDs != kernelIDs {
			id = domainid.None
		}
		l = append(l, id)
	}
	slices.Reverse(l)
	return l, len(l) == int(task.Depth)
}

func commonLayers(a, b layers) layers {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}
