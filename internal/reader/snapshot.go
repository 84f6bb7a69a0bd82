// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"math"
	"time"
	"unique"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// The least that one of them takes, in bytes: TestSizes holds them.
const (
	domainSize  = 15
	processSize = 88
	pathSize    = 2
	taskSize    = 26
	workerSize  = 22
)

// paths are those of a snapshot's processes, each once: one that is as long as can be takes no
// more room for having many processes. Most of those that were read are in the next snapshot
// again, and need no memory of their own there.
type paths struct {
	all    []string // in the order in which processes have them
	places map[string]int32
}

func (p *paths) add(path string) {
	if _, there := p.places[path]; !there {
		p.places[path] = int32(len(p.all))
		p.all = append(p.all, path)
	}
}

// paths is for those of all processes.
func (w *wire) paths(processes []scan.Process, known *paths) {
	last := *known
	*known = paths{places: make(map[string]int32, len(last.all))}
	for i := 0; i < len(processes) && !w.reading; i++ {
		known.add(processes[i].Exe)
	}
	all := known.all
	elements(w, &all, pathSize)
	for i := range all {
		w.path(&all[i], &last)
	}
	for i := 0; i < len(all) && w.reading; i++ {
		known.add(all[i])
	}
	w.check(len(known.all) == len(all))
	next := int32(0)
	for i := range processes {
		p := &processes[i]
		place := known.places[p.Exe]
		upTo(w, &place, next)
		w.check(int(place) < len(all))
		if w.err != nil {
			return
		}
		if p.Exe = all[place]; place == next {
			next++
		}
	}
	w.check(int(next) == len(all))
}

// snapshot is for what procattr fills of a snapshot, but for the kernel and the source,
// which do not change. It ends with the last byte.
func (w *wire) snapshot(s *scan.Snapshot, known *paths) {
	tasks, workers := w.head(s, known)
	elements(w, &s.Tasks, taskSize)
	elements(w, &s.Workers, workerSize)
	w.check(len(s.Tasks) == int(tasks) && len(s.Workers) == int(workers))
	if w.err != nil {
		return
	}
	domains := int32(len(s.Domains))
	for i := range s.Processes {
		last := int32(0)
		for j := range s.TasksOf(&s.Processes[i]) {
			t := &s.TasksOf(&s.Processes[i])[j]
			w.task(t, domains)
			w.check(t.TID > last)
			last = t.TID
		}
		last = 0
		for j := range s.WorkersOf(&s.Processes[i]) {
			worker := &s.WorkersOf(&s.Processes[i])[j]
			w.worker(worker, domains)
			w.check(worker.TID > last)
			last = worker.TID
		}
	}
	w.check(len(w.b) == 0)
}

// head is for all of a snapshot but its tasks and workers: it returns how many there are.
func (w *wire) head(s *scan.Snapshot, known *paths) (tasks, workers int32) {
	at, read, passes := s.Time.UnixNano(), int64(s.TasksRead), int64(s.Passes)
	number(w, &at)
	for _, v := range [...]*int64{(*int64)(&s.Uptime), (*int64)(&s.Duration), &read, &passes} {
		upTo(w, v, math.MaxInt64)
	}
	if w.reading {
		s.Time, s.TasksRead, s.Passes = time.Unix(0, at), int(read), int(passes)
	}
	elements(w, &s.Domains, domainSize)
	for i := range s.Domains {
		w.domain(&s.Domains[i], int32(i))
	}
	elements(w, &s.Processes, processSize)
	pid := int32(0)
	for i := range s.Processes {
		p := &s.Processes[i]
		w.process(p)
		w.check(p.PID > pid && p.NumTasks > 0 &&
			p.NumTasks < math.MaxInt32-tasks && p.NumWorkers < math.MaxInt32-workers)
		if w.reading {
			p.FirstTask, p.FirstWorker = tasks, workers
		}
		pid, tasks, workers = p.PID, tasks+p.NumTasks, workers+p.NumWorkers
	}
	w.paths(s.Processes, known)
	return tasks, workers
}

// domain is for the domain in a place. A parent stands before its children.
func (w *wire) domain(d *domainid.Domain, place int32) {
	number(w, &d.ID)
	w.index(&d.Parent, place)
	number(w, &d.Depth)
	upTo(w, &d.Lineage, domainid.LineageKnown)
	w.check(d.ID != domainid.None && d.Depth > 0)
	if w.reading {
		d.Rules = domainid.RulesUncounted
	}
}

// process is for what is of a process alone, but for its path.
func (w *wire) process(p *scan.Process) {
	number(w, &p.PID)
	upTo(w, &p.PPID, math.MaxInt32)
	number(w, &p.Start)
	number(w, &p.Exec)
	for i := range p.Comm {
		number(w, &p.Comm[i])
	}
	number(w, &p.CgroupID)
	number(w, &p.CgroupV1ID)
	boolean(w, &p.ExeCut)
	boolean(w, &p.ExeDeleted)
	upTo(w, &p.ExeOrigin, scan.OfUser)
	boolean(w, &p.UIDsDiffer)
	number(w, &p.UID)
	number(w, &p.UserNS)
	number(w, &p.MountNSOwner)
	upTo(w, &p.NoNewPrivs, scan.OfAll)
	upTo(w, &p.Seccomp, scan.OfAll)
	upTo(w, &p.State, scan.Sandboxed)
	upTo(w, &p.Reason, scan.Malformed)
	number(w, &p.Depth)
	number(w, &p.MaxDepth)
	upTo(w, &p.NumTasks, math.MaxInt32)
	upTo(w, &p.NumWorkers, math.MaxInt32)
}

// path is for a path of at most PATH_MAX, which may be among the last ones.
func (w *wire) path(path *string, last *paths) {
	n := uint16(len(*path))
	upTo(w, &n, unix.PathMax)
	if !w.reading {
		w.b = append(w.b, *path...)
		return
	}
	text := w.take(int(n))
	if place, there := last.places[string(text)]; there {
		*path = last.all[place]
	} else {
		*path = unique.Make(string(text)).Value()
	}
}

func (w *wire) task(t *scan.Task, domains int32) {
	number(w, &t.TID)
	w.index(&t.Domain, domains)
	number(w, &t.UID)
	number(w, &t.Start)
	number(w, &t.Depth)
	boolean(w, &t.DepthExact)
	upTo(w, &t.State, scan.Sandboxed)
	upTo(w, &t.Reason, scan.Malformed)
	number(w, &t.Hardening)
	w.check(t.State != scan.Partial && (t.State == scan.Sandboxed || t.Domain == domainid.Outermost))
	if w.reading {
		t.View = domainid.NoView
	}
}

func (w *wire) worker(x *scan.Worker, domains int32) {
	number(w, &x.TID)
	number(w, &x.Start)
	for _, at := range [...]*scan.Place{&x.Real, &x.Acting} {
		upTo(w, &at.State, scan.Sandboxed)
		w.index(&at.Domain, domains)
		w.check(at.State != scan.Partial &&
			(at.State == scan.Sandboxed || at.Domain == domainid.Outermost))
	}
}

// index is for the place of one of so many domains, or domainid.Outermost.
func (w *wire) index(i *int32, domains int32) {
	number(w, i)
	w.check(*i >= domainid.Outermost && *i < domains)
}
