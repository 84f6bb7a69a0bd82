// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/slots"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// UnknownWorkload is the name under which denials are counted whose process was
// gone before a scan found it, or that any of several workloads in one domain may
// have met. No workload is called so: names with a colon are those of programs,
// which get "exe:" in front of it.
const UnknownWorkload = "process:unknown"

// maxSubjects is the number of processes and domains whose denials wait to be given
// a workload by the next scan. Those of others are of UnknownWorkload at once.
const maxSubjects = 4096

// subject is who was denied, as far as is known. start is 0 where only the PID is
// known, pid is 0 where only the domain is.
type subject struct {
	domain domainid.ID
	pid    int32
	start  uint64
}

// waiting are denials of one subject.
type waiting struct {
	n     uint64
	first time.Time
}

// workloads adds up denials by workload.
type workloads struct {
	limit   int
	named   func(string) bool // nil is all
	waiting map[subject]waiting
	totals  map[string]*total
	slots   slots.Slots
	last    *scan.Snapshot
}

type total struct {
	n      uint64
	naming scan.Naming // when it last ran
}

func newWorkloads(limit int, named func(string) bool) *workloads {
	return &workloads{
		limit: limit, named: named, waiting: map[subject]waiting{}, totals: map[string]*total{},
		last: &scan.Snapshot{},
	}
}

// note counts a denial. It allocates only for a new subject.
func (w *workloads) note(e *Event) {
	s := subject{e.Domain, e.PID, e.Start}
	p, ok := w.waiting[s]
	if !ok {
		if len(w.waiting) >= maxSubjects {
			w.add(UnknownWorkload, 1)
			return
		}
		p.first = time.Now()
	}
	p.n++
	w.waiting[s] = p
}

// update gives what waits to the workloads that a scan, or the one before, found.
// What was denied since the scan began waits for the next.
func (w *workloads) update(snap *scan.Snapshot) {
	before := w.last
	w.last = snap
	if len(snap.Workloads) == 0 {
		clear(w.waiting) // nobody reads it
		return
	}
	if len(w.waiting) > 0 {
		w.give(snap, before)
	}
	if len(w.totals) > 0 {
		w.fold(snap, before)
	}
}

// give adds what waits to the totals of all names.
func (w *workloads) give(snap, before *scan.Snapshot) {
	find := [2]*finder{newFinder(snap), newFinder(before)}
	for s, p := range w.waiting {
		name := find[0].workload(s)
		if name == "" {
			name = find[1].workload(s)
		}
		if name == "" && p.first.After(snap.Time) {
			continue
		}
		if name == "" {
			name = UnknownWorkload
		} else if name != UnknownWorkload && w.named != nil && !w.named(name) {
			name = workload.Other
		}
		w.add(name, p.n)
		delete(w.waiting, s)
	}
}

func (w *workloads) add(name string, n uint64) {
	t := w.totals[name]
	if t == nil {
		t = &total{}
		w.totals[name] = t
	}
	t.n += n
}

// fold adds the totals of names that have no slot, or have lost it, to that of the
// others, for good: so the sum is always that of all denials, and no total goes down.
func (w *workloads) fold(snap, before *scan.Snapshot) {
	claims := make([]slots.Claim, 0, len(w.totals))
	for name, t := range w.totals {
		if name == UnknownWorkload || name == workload.Other {
			continue
		}
		runs := false
		for _, s := range [...]*scan.Snapshot{before, snap} {
			if naming, found := namingOf(s, name); found {
				t.naming, runs = naming, s == snap
			}
		}
		claims = append(claims, slots.Claim{Label: name, Naming: t.naming, Gone: !runs})
	}
	for _, c := range w.slots.Assign(snap.Time, w.limit, claims) {
		w.add(workload.Other, w.totals[c.Label].n)
		delete(w.totals, c.Label)
	}
}

// namingOf returns whose word a name is, the most trusted of the workloads that have
// it, and whether a snapshot has any.
func namingOf(s *scan.Snapshot, name string) (naming scan.Naming, found bool) {
	i, found := slices.BinarySearchFunc(s.Workloads, name,
		func(w scan.Workload, name string) int { return strings.Compare(w.Name, name) })
	for ; i < len(s.Workloads) && s.Workloads[i].Name == name; i++ {
		naming = max(naming, s.Workloads[i].Naming())
	}
	return naming, found
}

// finder finds the workload of a subject in a snapshot.
type finder struct {
	snap    *scan.Snapshot
	domains map[domainid.ID]int32
	// owner is, for each domain, the one workload that all processes in it or
	// in domains nested in it are part of.
	owner []string
}

// several is the owner of a domain with processes of more than one workload. It is
// no workload's name.
const several = "\x00"

// newFinder takes one walk over the snapshot's tasks.
func newFinder(snap *scan.Snapshot) *finder {
	f := &finder{snap: snap, domains: make(map[domainid.ID]int32, len(snap.Domains)), owner: make([]string, len(snap.Domains))}
	for i := range snap.Domains {
		f.domains[snap.Domains[i].ID] = int32(i)
	}
	for i := range snap.Processes {
		p := &snap.Processes[i]
		w := snap.WorkloadOf(p)
		if w == nil {
			continue
		}
		for _, t := range snap.TasksOf(p) {
			f.own(t.Domain, w.Name)
		}
	}
	return f
}

// own notes that a process of a workload is in a domain, and so in its parents.
// Parents have the same owner or several: the walk ends where nothing is new.
func (f *finder) own(domain int32, name string) {
	for d := range domainid.Chain(f.snap.Domains, domain) {
		switch f.owner[d] {
		case name, several:
			return
		case "":
			f.owner[d] = name
		default:
			f.owner[d] = several
		}
	}
}

// workload returns the name, or "" if it is not known.
func (f *finder) workload(s subject) string {
	domain, known := f.domains[s.domain]
	if !known {
		return ""
	}
	// A PID alone may be that of a new process, and the task that ran when a
	// signal was denied may be another than the one that had asked for it.
	if p := f.snap.Find(s.pid); s.pid != 0 && p != nil && (s.start == 0 || s.start == p.Start) && f.isIn(p, domain) {
		if w := f.snap.WorkloadOf(p); w != nil {
			return w.Name
		}
	}
	if f.owner[domain] == several {
		return UnknownWorkload
	}
	return f.owner[domain]
}

// isIn reports whether a task of a process is in a domain or in one nested in it.
func (f *finder) isIn(p *scan.Process, domain int32) bool {
	for _, t := range f.snap.TasksOf(p) {
		for d := range domainid.Chain(f.snap.Domains, t.Domain) {
			if d == domain {
				return true
			}
		}
	}
	return false
}
