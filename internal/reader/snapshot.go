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
	processSize = 90
	taskSize    = 26
	workerSize  = 22
)

// paths are those of the last snapshot that was read, ascending by PID: most are the same
// in the next one, and need no memory of their own there.
type paths []knownPath

type knownPath struct {
	pid  int32
	path string
}

// of returns the path of a process, or none, and those that stand behind it.
func (p paths) of(pid int32) (rest paths, path string) {
	for len(p) > 0 && p[0].pid < pid {
		p = p[1:]
	}
	if len(p) > 0 && p[0].pid == pid {
		path = p[0].path
	}
	return p, path
}

func (p *paths) keep(processes []scan.Process) {
	*p = make(paths, len(processes))
	for i := range processes {
		(*p)[i] = knownPath{processes[i].PID, processes[i].Exe}
	}
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
	was, pid := *known, int32(0)
	*known = nil
	for i := range s.Processes {
		p := &s.Processes[i]
		w.process(p)
		w.check(p.PID > pid && p.NumTasks > 0 &&
			p.NumTasks < math.MaxInt32-tasks && p.NumWorkers < math.MaxInt32-workers)
		if w.reading {
			p.FirstTask, p.FirstWorker = tasks, workers
		}
		pid, tasks, workers = p.PID, tasks+p.NumTasks, workers+p.NumWorkers
		var last string
		was, last = was.of(pid)
		w.path(&p.Exe, last)
	}
	if w.reading {
		known.keep(s.Processes)
	}
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

// process is for what is of a process alone; its path follows.
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

// path is for a path of at most PATH_MAX; last is what it may be again.
func (w *wire) path(path *string, last string) {
	n := uint16(len(*path))
	upTo(w, &n, unix.PathMax)
	if !w.reading {
		w.b = append(w.b, *path...)
		return
	}
	text := w.take(int(n))
	if string(text) == last {
		*path = last
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
