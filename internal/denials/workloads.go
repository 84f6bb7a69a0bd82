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
	last    sight
	older   sight // its memory is used again
	// of is what last is of, and twice: older is, too.
	of    scan.Identity
	twice bool
}

type total struct {
	n      uint64
	naming scan.Naming // when it last ran
}

func newWorkloads(limit int, named func(string) bool) *workloads {
	return &workloads{
		limit: limit, named: named, waiting: map[subject]waiting{}, totals: map[string]*total{},
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
	if same := w.of.Is(snap); !same || !w.twice {
		w.last, w.older = w.older, w.last
		w.last.see(snap)
		w.of, w.twice = snap.Identity(), same
	}
	if len(snap.Workloads) == 0 {
		clear(w.waiting) // nobody reads it
		return
	}
	if len(w.waiting) > 0 {
		w.give(snap.Time)
	}
	if len(w.totals) > 0 {
		w.fold(snap.Time)
	}
}

// give adds what waits to the totals of all names.
func (w *workloads) give(scanned time.Time) {
	find := [2]*finder{newFinder(&w.last), newFinder(&w.older)}
	for s, p := range w.waiting {
		name := find[0].workload(s)
		if name == "" {
			name = find[1].workload(s)
		}
		if name == "" && p.first.After(scanned) {
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
func (w *workloads) fold(scanned time.Time) {
	claims := make([]slots.Claim, 0, len(w.totals))
	for name, t := range w.totals {
		if name == UnknownWorkload || name == workload.Other {
			continue
		}
		runs := false
		for _, s := range [...]*sight{&w.older, &w.last} {
			if naming, found := namingOf(s.workloads, name); found {
				t.naming, runs = naming, s == &w.last
			}
		}
		claims = append(claims, slots.Claim{Label: name, Naming: t.naming, Gone: !runs})
	}
	for _, c := range w.slots.Assign(scanned, w.limit, claims) {
		w.add(workload.Other, w.totals[c.Label].n)
		delete(w.totals, c.Label)
	}
}

// namingOf returns whose word a name is, the most trusted of those workloads that have
// it, and whether any has.
func namingOf(all []scan.Workload, name string) (naming scan.Naming, found bool) {
	i, found := slices.BinarySearchFunc(all, name,
		func(w scan.Workload, name string) int { return strings.Compare(w.Name, name) })
	for ; i < len(all) && all[i].Name == name; i++ {
		naming = max(naming, all[i].Naming())
	}
	return naming, found
}
