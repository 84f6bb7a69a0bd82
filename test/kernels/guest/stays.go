// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/landlockd/landlockd/domainid"
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
	// unknown are processes, each time, of which nothing is said.
	unknown int
	wrong   []string

	// domains are those that were ever seen, by ID, with those that they are nested in.
	domains map[domainid.ID]layers
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
	// base are the layers that all of its tasks were in, by a scan that had ended at based.
	base  layers
	based time.Time
	// latest are those of each task that it ever had, by the latest scan that said it.
	latest map[taskName]said
	// began is when the process was created, and seen when the latest scan that says
	// something of it began.
	began, seen time.Time
	// daemon: it is landlockd, which stays in one domain for the whole time.
	daemon bool
	// overridden: a thread got the domain of another one.
	overridden bool
}

// said is what a scan said of a task, and when it began.
type said struct {
	layers layers
	seen   time.Time
}

func newStays() *stays {
	return &stays{processes: map[processName]*staying{}, domains: map[domainid.ID]layers{}}
}

func (s *stays) String() string {
	return fmt.Sprintf("%d snapshots; %d statements on tasks seen before in a domain, %d of them deeper, %d overridden by "+
		"another thread; %d times nothing is said of a process; %d false",
		s.scans, s.again, s.deeper, s.overridden, s.unknown, len(s.wrong))
}

// look judges a snapshot by those before.
func (s *stays) look(snap *scan.Snapshot) {
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
		s.nested(snap)
	}
}

// nested judges what domains are nested in: that never changes.
func (s *stays) nested(snap *scan.Snapshot) {
	for i := range snap.Domains {
		l := layersOf(snap, int32(i))
		id := snap.Domains[i].ID
		if before, ok := s.domains[id]; ok && !slices.Equal(before, l) {
			s.errorf("domain %v is in %v, and was in %v", id, l, before)
		}
		s.domains[id] = l
	}
}

// kernelIDs: IDs are the kernel's, and name domains for as long as it runs.
const kernelIDs = "kernel"

func (s *stays) process(snap *scan.Snapshot, p *scan.Process) {
	name := processName{p.PID, p.Start}
	known := s.processes[name]
	first := known == nil
	if first {
		known = &staying{
			latest: map[taskName]said{}, daemon: p.Comm.String() == "landlockd",
			began: snap.Time.Add(time.Duration(p.Start) - snap.Uptime),
		}
		s.processes[name] = known
	}
	known.seen = snap.Time
	now := map[taskName]layers{}
	complete := true
	var common layers
	for i, task := range snap.TasksOf(p) {
		at, ok := layersOfTask(snap, &task)
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
		known.latest[task] = said{at, snap.Time}
	}
	if complete && (first || len(common) > len(known.base)) {
		known.base, known.based = common, snap.Time.Add(snap.Duration)
	}
}

// task judges what is said of one task.
func (s *stays) task(snap *scan.Snapshot, known *staying, name taskName, at layers) {
	before := known.latest[name].layers
	if len(before) == 0 {
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
			if other != name && at.beginsWith(l.layers) {
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

func (s *stays) errorf(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf("snapshot %d: ", s.scans)+fmt.Sprintf(format, args...))
}

// layersOfTask returns the layers of a task, and whether they are known.
func layersOfTask(snap *scan.Snapshot, task *scan.Task) (layers, bool) {
	switch {
	case task.State == scan.Unsandboxed:
		return nil, true
	case task.State == scan.Unknown || task.Domain == domainid.Outermost || !task.DepthExact:
		return nil, false
	}
	l := layersOf(snap, task.Domain)
	return l, len(l) == int(task.Depth)
}

// layersOf returns a domain, which is the last, and those that it is nested in.
func layersOf(snap *scan.Snapshot, domain int32) layers {
	var l layers
	for at := domain; at != domainid.Outermost; at = snap.Domains[at].Parent {
		id := snap.Domains[at].ID
		if snap.Source.IDs != kernelIDs {
			id = domainid.None
		}
		l = append(l, id)
	}
	slices.Reverse(l)
	return l
}

func commonLayers(a, b layers) layers {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}
