// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
)

// joins judges denials by what scans said of the tasks that were denied, where IDs are the
// kernel's.
type joins struct {
	// denied are all denials that landlockd reported, the last of each task and domain.
	denied map[deniedName]denials.Denial
}

type deniedName struct {
	domain   domainid.ID
	pid, tid int32
	start    uint64
}

// joined is what came of it: of how many denials some scan saw the task in the domain, of how
// many some scan saw the domain, and what cannot be.
type joined struct {
	tasks, domains int
	wrong          []string
}

// add keeps denials.
func (j *joins) add(all []denials.Denial) {
	if j.denied == nil {
		j.denied = map[deniedName]denials.Denial{}
	}
	for _, d := range all {
		if name := (deniedName{d.Domain, d.PID, d.TID, d.Start}); d.PID != 0 && d.Time.After(j.denied[name].Time) {
			j.denied[name] = d
		}
	}
}

// by judges all that were kept by what one source's snapshots said.
func (j *joins) by(s *stays) joined {
	var r joined
	named := map[int32][]processName{}
	for name := range s.processes {
		named[name.pid] = append(named[name.pid], name)
	}
	for _, d := range j.denied {
		if _, ok := s.domains[d.Domain]; ok {
			r.domains++
		}
		found := false
		var wrong []string
		for _, name := range named[d.PID] {
			if d.Start != 0 && d.Start != name.start {
				continue
			}
			p := s.processes[name]
			found = found || p.wasIn(d)
			wrong = append(wrong, p.contradicts(d, s.domains[d.Domain])...)
		}
		if found {
			r.tasks++
			continue
		}
		r.wrong = append(r.wrong, wrong...)
	}
	return r
}

// wasIn reports whether a task that was denied, or any one if it is not known which, was seen in
// the domain that denied.
func (p *staying) wasIn(d denials.Denial) bool {
	for name, l := range p.latest {
		if (d.TID == 0 || d.TID == name.tid) && slices.Contains(l.layers, d.Domain) {
			return true
		}
	}
	return false
}

// clockStep is by how much the time of a denial may be too early: audit has that of the
// kernel's last tick, in milliseconds.
const clockStep = 100 * time.Millisecond

// contradicts returns why a denial cannot be of a process that was seen, if so. The domain
// that denied is the last of in, which is empty if no scan saw it.
//
// No test has a thread that is not the leader call execve(2): a thread ID is one task's.
func (p *staying) contradicts(d denials.Denial, in layers) []string {
	// Without its start, a process is the one of its ID if it was there before and after.
	other := d.Start == 0 && (d.Time.Before(p.began.Add(clockStep)) || p.seen.Before(d.Time.Add(clockStep)))
	if other || p.overridden || ofAnother(d) {
		return nil
	}
	var wrong []string
	for name, l := range p.latest {
		if d.TID == name.tid && d.Time.Add(clockStep).Before(l.seen) && !slices.Contains(l.layers, d.Domain) {
			wrong = append(wrong, fmt.Sprintf("process %d, task %d was denied %v by %v, and was then in %v",
				d.PID, d.TID, d.Blockers, d.Domain, l.layers))
		}
	}
	if len(in) > 0 && p.based.Before(d.Time) && !in.beginsWith(p.base) && !p.base.beginsWith(in) {
		wrong = append(wrong, fmt.Sprintf("process %d was denied %v by %v, which is in %v, and all its tasks were in %v",
			d.PID, d.Blockers, d.Domain, in, p.base))
	}
	return wrong
}

// ofAnother reports whether what denied may be the domain of another task than the one that
// acted: of a tracer, of who is to get a signal, or of who opened the file.
func ofAnother(d denials.Denial) bool {
	return slices.ContainsFunc(d.Blockers, func(blocker string) bool {
		switch blocker {
		case "ptrace", "scope.signal", "fs.truncate", "fs.ioctl_dev":
			return true
		}
		return false
	})
}

// sameDomains returns in how many domains two sources agree, and those of which they say
// different things.
func sameDomains(a, b *stays) (same int, wrong []string) {
	for id, l := range a.domains {
		other, ok := b.domains[id]
		switch {
		case !ok:
		case slices.Equal(l, other):
			same++
		default:
			wrong = append(wrong, fmt.Sprintf("domain %v is in %v by one source, and in %v by the other", id, l, other))
		}
	}
	return same, wrong
}
