// SPDX-License-Identifier: Apache-2.0

package api

import (
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// sight is what one caller may see of a snapshot.
type sight struct {
	snap   *scan.Snapshot
	caller *scan.Process
	// home is the domain that the caller is in, and base its depth; domainid.Outermost and 0
	// of one that is in none.
	home int32
	base uint16
}

// sightOf returns what a caller may see; false if that is nothing. One of whose threads any is
// in a domain counts as sandboxed. Those must be in one domain: what several of them keep
// from one another is not looked for.
func sightOf(snap *scan.Snapshot, caller *scan.Process) (sight, bool) {
	v := sight{snap: snap, caller: caller, home: domainid.Outermost}
	if caller.State == scan.Unknown {
		return v, false
	}
	for _, t := range snap.TasksOf(caller) {
		d := snap.DomainOf(t)
		switch {
		case t.State == scan.Unsandboxed:
		case d < 0 || !domainid.Whole(snap.Domains, d) || v.home >= 0 && v.home != d:
			return v, false
		default:
			v.home, v.base = d, snap.Domains[d].Depth
		}
	}
	return v, true
}

// everything reports whether the caller may see the whole host.
func (v *sight) everything() bool { return v.home < 0 && v.caller.MayLookAtAll() }

// sees reports whether the caller may see a process: by credentials, and of one that is
// sandboxed only if all threads of the process are in domains nested strictly inside its own.
func (v *sight) sees(p *scan.Process) bool {
	if v.home < 0 && p.PID == v.caller.PID {
		return true
	}
	if p.State == scan.Unknown || !v.caller.MayLook(p) {
		return false
	}
	for _, t := range v.snap.TasksOf(p) {
		if v.home >= 0 && !v.inside(v.snap.DomainOf(t)) {
			return false
		}
	}
	return p.NumTasks > 0
}

// inside reports whether a domain is nested in the caller's, and is not that.
func (v *sight) inside(d int32) bool {
	if d == v.home || !domainid.Whole(v.snap.Domains, d) {
		return false
	}
	for at := range domainid.Chain(v.snap.Domains, d) {
		if at == v.home {
			return true
		}
	}
	return false
}

// snapshot returns what the caller may see, as a snapshot of its own. Of a sandboxed caller it
// begins behind the caller's own domain: that is the outermost there. It has no assets, no
// denials and no creators of other users, nor any number that is of the whole host.
func (v *sight) snapshot() *scan.Snapshot {
	s := v.snap
	if v.everything() {
		return s
	}
	f := filter{sight: v, to: &scan.Snapshot{
		Time: s.Time, Uptime: s.Uptime, Duration: s.Duration, Kernel: s.Kernel, Source: s.Source,
		Passes: 1, Part: true,
	}}
	f.to.Source.Denials = scan.DenialsNone
	f.domains, f.views = make([]int32, len(s.Domains)), make([]int32, len(s.Views))
	f.workloads = make([]int32, len(s.Workloads))
	for i := range s.Processes {
		if p := &s.Processes[i]; v.sees(p) {
			f.mark(p)
		}
	}
	f.number()
	for i := range s.Processes {
		if p := &s.Processes[i]; v.sees(p) {
			f.process(*p)
		}
	}
	f.to.TasksRead = len(f.to.Tasks)
	f.to.Conclude()
	return f.to
}

// filter makes a snapshot of parts of another one. What is in domains, views and workloads
// are the numbers there of those of the other one, from 1; 0 of what is left out.
type filter struct {
	*sight
	to                        *scan.Snapshot
	domains, views, workloads []int32
}

// mark notes what a process has in the snapshot.
func (f *filter) mark(p *scan.Process) {
	for _, t := range f.snap.TasksOf(p) {
		f.markDomain(f.snap.DomainOf(t))
		if t.View >= 0 && int(t.View) < len(f.views) {
			f.views[t.View] = 1
		}
	}
	if p.Workload >= 0 && int(p.Workload) < len(f.workloads) {
		f.workloads[p.Workload] = 1
	}
}

func (f *filter) markDomain(d int32) {
	for at := range domainid.Chain(f.snap.Domains, d) {
		if at == f.home {
			return
		}
		f.domains[at] = 1
	}
}

// number copies what is marked, and numbers it.
func (f *filter) number() {
	for i := range f.domains {
		if f.domains[i] == 0 {
			continue
		}
		d := f.snap.Domains[i]
		d.Parent, d.Depth, d.Denials = f.domain(d.Parent), d.Depth-f.base, 0
		if f.base > 0 {
			d.Rules = domainid.RulesUncounted // outer domains' are among them
		}
		if d.Creator.UID != f.caller.UID {
			d.Creator = domainid.Creator{}
		}
		f.to.Domains = append(f.to.Domains, d)
		f.domains[i] = int32(len(f.to.Domains))
		if d.Ruleset == nil && f.snap.Source.Rules == "read" {
			f.to.DomainsUnread++
		}
	}
	for i := range f.views {
		if f.views[i] == 0 {
			continue
		}
		w := f.snap.Views[i]
		w.Domain = f.domain(w.Domain)
		w.Everywhere = w.Everywhere[min(int(f.base), len(w.Everywhere)):]
		f.to.Views = append(f.to.Views, w)
		f.views[i] = int32(len(f.to.Views))
	}
	for i := range f.workloads {
		if f.workloads[i] != 0 {
			f.to.Workloads = append(f.to.Workloads, f.snap.Workloads[i])
			f.workloads[i] = int32(len(f.to.Workloads))
		}
	}
}

// domain returns the place there of a domain, or domainid.Outermost.
func (f *filter) domain(d int32) int32 {
	if d < 0 || int(d) >= len(f.domains) {
		return domainid.Outermost
	}
	return f.domains[d] - 1
}

// process adds a process.
func (f *filter) process(p scan.Process) {
	tasks, workers := f.snap.TasksOf(&p), f.snap.WorkersOf(&p)
	p.FirstTask, p.FirstWorker = int32(len(f.to.Tasks)), int32(len(f.to.Workers))
	f.to.Tasks = slices.Grow(f.to.Tasks, len(tasks))
	for _, t := range tasks {
		t.Domain, t.Scene = f.domain(t.Domain), domainid.NoScene
		if t.View >= 0 && int(t.View) < len(f.views) {
			t.View = f.views[t.View] - 1
		}
		t.Depth -= min(t.Depth, f.base)
		if t.State == scan.Sandboxed && t.Domain < 0 {
			f.to.DomainsUnread++
		}
		f.to.Tasks = append(f.to.Tasks, t)
	}
	for _, w := range workers {
		w.Real, w.Acting = f.place(w.Real), f.place(w.Acting)
		f.to.Workers = append(f.to.Workers, w)
	}
	p.Depth, p.MaxDepth = p.Depth-min(p.Depth, f.base), p.MaxDepth-min(p.MaxDepth, f.base)
	if p.Workload >= 0 && int(p.Workload) < len(f.workloads) {
		p.Workload = f.workloads[p.Workload] - 1
	}
	f.to.Processes = append(f.to.Processes, p)
}

// place returns where credentials are, as far as the caller may see that.
func (f *filter) place(at scan.Place) scan.Place {
	if at.State == scan.Sandboxed {
		at.Domain = f.domain(at.Domain)
	}
	return at
}
