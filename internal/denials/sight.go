// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"cmp"
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// sight is what denials need of a snapshot, which as a whole would take many times the memory
// until the next scan.
type sight struct {
	domains   []domainid.Domain
	workloads []scan.Workload
	members   []member // ascending by pid
}

// member is a process in a domain. One with tasks in several stands there for each.
type member struct {
	start            uint64
	pid              int32
	domain, workload int32 // places in sight; workload is negative if there is none
}

// see takes what a snapshot shows. The memory of the members is used again.
func (s *sight) see(snap *scan.Snapshot) {
	s.domains, s.workloads = snap.Domains, snap.Workloads
	if cap(s.members) > 4*len(s.members)+4096 { // a burst is over
		s.members = nil
	}
	s.members = s.members[:0]
	for i := range snap.Processes {
		p := &snap.Processes[i]
		workload := p.Workload
		if snap.WorkloadOf(p) == nil {
			workload = scan.NoWorkload
		}
		last := domainid.Outermost
		for t := range snap.TasksOf(p) {
			if d := snap.TasksOf(p)[t].Domain; d != last && d != domainid.Outermost {
				s.members = append(s.members, member{p.Start, p.PID, d, workload})
				last = d
			}
		}
	}
}

// finder finds the workload of a subject in what a snapshot showed.
type finder struct {
	sight   *sight
	domains map[domainid.ID]int32
	// owner is, for each domain, the one workload that all processes in it or
	// in domains nested in it are part of.
	owner []string
	// inside has of each process that was asked for the domains that one of its tasks is in, or
	// in one nested in it. There can be many tasks, and many questions.
	inside map[int32]map[int32]struct{}
}

// several is the owner of a domain with processes of more than one workload. It is
// no workload's name.
const several = "\x00"

// newFinder takes one walk over the members.
func newFinder(s *sight) *finder {
	f := &finder{
		sight: s, domains: make(map[domainid.ID]int32, len(s.domains)),
		owner: make([]string, len(s.domains)), inside: map[int32]map[int32]struct{}{},
	}
	for i := range s.domains {
		f.domains[s.domains[i].ID] = int32(i)
	}
	for _, m := range s.members {
		if m.workload >= 0 {
			f.own(m.domain, s.workloads[m.workload].Name)
		}
	}
	return f
}

// own notes that a process of a workload is in a domain, and so in its parents.
// Parents have the same owner or several: the walk ends where nothing is new.
func (f *finder) own(domain int32, name string) {
	for d := range domainid.Chain(f.sight.domains, domain) {
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
	if m := f.member(s, domain); m != nil && m.workload >= 0 {
		return f.sight.workloads[m.workload].Name
	}
	if f.owner[domain] == several {
		return UnknownWorkload
	}
	return f.owner[domain]
}

// member returns a subject's process, if it is in a domain or in one nested in it; else nil.
func (f *finder) member(s subject, domain int32) *member {
	all := f.sight.members
	first, found := slices.BinarySearchFunc(all, s.pid,
		func(m member, pid int32) int { return cmp.Compare(m.pid, pid) })
	if s.pid == 0 || !found || s.start != 0 && s.start != all[first].start {
		return nil
	}
	inside := f.inside[s.pid]
	if inside == nil {
		inside = f.domainsOf(all[first:], s.pid)
		f.inside[s.pid] = inside
	}
	if _, in := inside[domain]; !in {
		return nil
	}
	return &all[first]
}

// domainsOf returns what inside has of a process, of which the first members are.
func (f *finder) domainsOf(members []member, pid int32) map[int32]struct{} {
	inside := map[int32]struct{}{}
	for _, m := range members {
		if m.pid != pid {
			break
		}
		for d := range domainid.Chain(f.sight.domains, m.domain) {
			if _, known := inside[d]; known {
				break // and so are all that it is nested in
			}
			inside[d] = struct{}{}
		}
	}
	return inside
}
