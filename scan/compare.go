// SPDX-License-Identifier: Apache-2.0

package scan

import "github.com/landlockd/landlockd/domainid"

// maxExamples bounds Disagreement.Examples.
const maxExamples = 8

// Disagreement is what two snapshots of one host show differently.
type Disagreement struct {
	// Compared is the number of processes that both know and neither calls
	// unknown.
	Compared int
	// State is how many of them have another state in the other snapshot.
	State int
	// Domain is how many have a task that does not share its domain with the same tasks
	// in both.
	Domain int
	// ID is how many have a task whose domain has another ID, where both have
	// the kernel's.
	ID int
	// Examples are the lowest PIDs of processes with a disagreement, at most 8.
	Examples []int32
}

// Total is the number of disagreements of all kinds.
func (d *Disagreement) Total() int { return d.State + d.Domain + d.ID }

// Disagreements compares what two sources report of one host. Neither order nor depth
// of the snapshots matters, nor what only one of them knows: processes and tasks that
// only one saw were born or went between, and unknown is no statement.
//
// Two scans are never of one instant. A process that entered a domain between
// them is a disagreement here; see [DisagreementsBetween].
//
// It takes time O(n log n) in the number of tasks.
func Disagreements(a, b *Snapshot) Disagreement { return compare(a, b, nil) }

// DisagreementsBetween compares what one source reported before and after with what
// another one reported between. No task comes back to a domain that it has left, nor to
// none but where a thread takes the others of its process out of theirs
// (LANDLOCK_RESTRICT_SELF_TSYNC): what the first source reports twice alike was so all the
// time. Only processes of which it does are compared.
func DisagreementsBetween(before, between, after *Snapshot) Disagreement {
	return compare(before, between, after)
}

// pair is one task's domain in both snapshots, as indices.
type pair struct {
	a, b    int32
	process int32 // index in a's
}

// Kinds of disagreement on one process.
const (
	differsInState = 1 << iota
	differsInDomain
	differsInID
)

func compare(a, b, again *Snapshot) Disagreement {
	var d Disagreement
	ids := a.Source.IDs == "kernel" && b.Source.IDs == "kernel"
	differs := make([]uint8, len(a.Processes))
	pairs := make([]pair, 0, min(len(a.Tasks), len(b.Tasks)))
	for i := range a.Processes {
		p := &a.Processes[i]
		q := sameProcess(b, p)
		if q == nil || p.State == Unknown || q.State == Unknown {
			continue
		}
		if again != nil {
			if r := sameProcess(again, p); r == nil || !alike(a, p, again, r) {
				continue
			}
		}
		d.Compared++
		if p.State != q.State {
			differs[i] |= differsInState
		}
		eachTask(a, p, b, q, func(t, u *Task) {
			if t.Domain == domainid.Outermost || u.Domain == domainid.Outermost {
				return
			}
			pairs = append(pairs, pair{t.Domain, u.Domain, int32(i)})
			if ids && a.Domains[t.Domain].ID != b.Domains[u.Domain].ID {
				differs[i] |= differsInID
			}
		})
	}
	// A domain of one must be one domain of the other, both ways.
	markSplit(pairs, differs, func(p pair) (int32, int32) { return p.a, p.b })
	markSplit(pairs, differs, func(p pair) (int32, int32) { return p.b, p.a })

	for i, kinds := range differs {
		if kinds == 0 {
			continue
		}
		d.State += int(kinds & differsInState)
		d.Domain += int(kinds & differsInDomain / differsInDomain)
		d.ID += int(kinds & differsInID / differsInID)
		if len(d.Examples) < maxExamples {
			d.Examples = append(d.Examples, a.Processes[i].PID)
		}
	}
	return d
}

// sameProcess returns the same process of another snapshot, or nil.
func sameProcess(s *Snapshot, p *Process) *Process {
	if q := s.Find(p.PID); q != nil && sameStart(p.Start, q.Start) {
		return q
	}
	return nil
}

// sameStart reports whether two start times are the same to a source that rounds them
// down: in a time namespace, to ticks of another clock.
func sameStart(a, b uint64) bool { return max(a, b)-min(a, b) < uint64(StatTick) }

// alike reports whether one source showed the same of a process twice.
func alike(a *Snapshot, p *Process, b *Snapshot, q *Process) bool {
	if p.State != q.State || p.Exec != q.Exec || p.NumTasks != q.NumTasks {
		return false
	}
	same, n := true, int32(0)
	eachTask(a, p, b, q, func(t, u *Task) {
		n++
		same = same && t.State == u.State && idOf(a, t) == idOf(b, u)
	})
	return same && n == p.NumTasks
}

func idOf(s *Snapshot, t *Task) domainid.ID {
	if t.Domain == domainid.Outermost {
		return domainid.None
	}
	return s.Domains[t.Domain].ID
}

// eachTask calls f with each task that both snapshots have of a process.
func eachTask(a *Snapshot, p *Process, b *Snapshot, q *Process, f func(t, u *Task)) {
	us := b.TasksOf(q)
	for i := range a.TasksOf(p) {
		t := &a.TasksOf(p)[i]
		for len(us) > 0 && us[0].TID < t.TID {
			us = us[1:]
		}
		if len(us) > 0 && us[0].TID == t.TID && sameStart(us[0].Start, t.Start) {
			f(t, &us[0])
		}
	}
}

// markSplit marks the processes with a task in a domain of one snapshot whose tasks are
// in several of the other. The domain that the most tasks are in is taken for right.
func markSplit(pairs []pair, differs []uint8, key func(pair) (one, other int32)) {
	type joined struct{ one, other int32 }
	tasks := map[joined]int{}
	for _, p := range pairs {
		one, other := key(p)
		tasks[joined{one, other}]++
	}
	right := map[int32]int32{}
	for j, n := range tasks {
		best, found := right[j.one]
		most := tasks[joined{j.one, best}]
		if !found || n > most || n == most && j.other < best {
			right[j.one] = j.other
		}
	}
	for _, p := range pairs {
		if one, other := key(p); other != right[one] {
			differs[p.process] |= differsInDomain
		}
	}
}
