// SPDX-License-Identifier: Apache-2.0

package domainid

import "maps"

// Inference concludes from successive scans which domain is nested in which, where the
// kernel reports only each task's domain ID.
//
// It rests on one fact only: a task moves only to domains nested in its own or in that of
// another task of its process (LANDLOCK_RESTRICT_SELF_TSYNC), and a process gets new tasks
// only from its own. So a process all of whose
// tasks were in domain A in one complete scan is from then on in A or nested
// in A, for as long as PID and start time are the same; where one of its tasks
// is later in B, B is nested in A. Nothing is concluded from a single task (an
// exec from another thread puts that thread in its place), nor from a parent
// process (which children get it shows nothing of their domains).
//
// What is concluded is true; what is true need not be found. So a depth is a
// lower bound.
//
// An Inference holds what concerns live domains and live processes, and
// forgets a domain that no task is in, directly or nested. IDs must be unique
// for one boot. It is not safe for concurrent use. Calls come in the order
// Begin, Process for each process, End; then Parent and Depth answer.
type Inference struct {
	scan      uint64
	processes map[int32]processBase
	domains   map[ID]domainNode
	conflicts uint64
}

// processBase is the domain that all tasks of a process were in at once.
type processBase struct {
	start, scan uint64
	base        ID
}

// domainNode is a domain and the innermost one that it is known to be nested
// in; None if there is none. Parents of parents make the rest of the lineage.
type domainNode struct {
	parent ID
	scan   uint64
}

// NewInference returns an Inference that knows nothing.
func NewInference() *Inference {
	return &Inference{processes: map[int32]processBase{}, domains: map[ID]domainNode{}}
}

// Begin starts a scan.
func (in *Inference) Begin() { in.scan++ }

// Process takes what a scan found of one process, named by its PID and start time (in
// any unit): the domains of its tasks, as far as they could be read. None stands for a
// task in no domain, and domains may repeat. The argument together reports whether at
// one instant of the scan all tasks of the process were in domains[0] or in what is
// nested in it. A process of which nothing could be read is passed without domains, so
// that what is known of it stays.
func (in *Inference) Process(pid int32, start uint64, domains []ID, together bool) {
	p := in.processes[pid]
	if p.start != start {
		p = processBase{start: start}
	}
	for _, d := range domains {
		if d == None && p.base != None {
			// No task leaves a domain: the base was none.
			in.conflicts++
			p.base = None
		}
		in.see(d)
		if p.base != None && d != None && d != p.base {
			in.nest(d, p.base)
		}
	}
	if together && len(domains) > 0 && domains[0] != None {
		p.base = domains[0]
	}
	p.scan = in.scan
	in.processes[pid] = p
}

// End ends a scan: what it did not find is forgotten.
func (in *Inference) End() {
	maps.DeleteFunc(in.processes, func(_ int32, p processBase) bool { return p.scan != in.scan })
	maps.DeleteFunc(in.domains, func(_ ID, d domainNode) bool { return d.scan != in.scan })
}

// Parent returns the innermost domain that a domain is known to be nested in,
// or None.
func (in *Inference) Parent(d ID) ID { return in.domains[d].parent }

// Base returns the domain that all tasks of a process were in at once, the last
// time that they were in one; None if it is not known.
func (in *Inference) Base(pid int32, start uint64) ID {
	if p := in.processes[pid]; p.start == start {
		return p.base
	}
	return None
}

// Depth returns a lower bound of a domain's depth: the number of domains from
// the outermost that is known to this one; 0 for None.
func (in *Inference) Depth(d ID) int {
	n := 0
	for ; d != None && n < maxNesting; d = in.domains[d].parent {
		n++
	}
	return n
}

// Conflicts returns how many conclusions were dropped because they contradict earlier
// ones. It is 0 unless some input was wrong.
func (in *Inference) Conflicts() uint64 { return in.conflicts }

// see keeps a domain, and those that it is nested in, for this scan.
func (in *Inference) see(d ID) {
	for d != None {
		n := in.domains[d]
		if n.scan == in.scan {
			return
		}
		n.scan = in.scan
		in.domains[d] = n
		d = n.parent
	}
}

// nest notes that inner is nested in outer.
func (in *Inference) nest(inner, outer ID) {
	if in.within(inner, outer) {
		return
	}
	if in.within(outer, inner) || in.Depth(outer)+1 > maxNesting {
		in.conflicts++
		return
	}
	in.see(outer)
	n := in.domains[inner]
	// Domains that the same one is nested in are nested in each other. Where it is not
	// known how, the one known first is kept: the lineage may be too short, but is not
	// wrong.
	if n.parent == None || in.within(outer, n.parent) {
		n.parent = outer
		in.domains[inner] = n
	}
}

// within reports whether inner is known to be outer or nested in it. The lineage has no
// circle: nest never makes one.
func (in *Inference) within(inner, outer ID) bool {
	for d := inner; d != None; d = in.domains[d].parent {
		if d == outer {
			return true
		}
	}
	return false
}
