// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// programs are those that the processes of the last scan execute, ascending by PID: all that
// is kept of its snapshot, whose other parts the next scan brings again.
type programs struct {
	list []executed
	// While a scan goes through the processes: list[:kept] and list[before:] are of this
	// scan, list[next:before] is of the last one and has not been looked at.
	kept, next, before int
	// resting are the processes of a snapshot that is kept, in place of list.
	resting []scan.Process
}

// executed is what a process executes, as [scan.Process] has it.
type executed struct {
	pid          int32
	cut, deleted bool
	origin       scan.Origin
	start, exec  uint64
	path         string
}

func executedBy(pr *scan.Process) executed {
	return executed{pr.PID, pr.ExeCut, pr.ExeDeleted, pr.ExeOrigin, pr.Start, pr.Exec, pr.Exe}
}

// rest is called while the last scan's snapshot is kept, as it has all of this: its processes.
// Nothing of it may change.
func (p *programs) rest(processes []scan.Process) { p.list, p.resting = nil, processes }

// wake takes what rest left to the snapshot.
func (p *programs) wake() {
	p.list = make([]executed, 0, len(p.resting))
	for i := range p.resting {
		pr := &p.resting[i]
		if unread := (executed{pid: pr.PID, start: pr.Start, exec: pr.Exec}); executedBy(pr) != unread {
			p.list = append(p.list, executedBy(pr))
		}
	}
	p.resting = nil
}

// begin is called before the first process of a scan, which has so many of them.
func (p *programs) begin(processes int) {
	if p.resting != nil {
		p.wake()
	}
	if len(p.list) == 0 {
		p.list = make([]executed, 0, processes)
	}
	p.kept, p.next, p.before = 0, 0, len(p.list)
}

// recall sets the executable of a process if it is known from the last scan, and reports
// whether it is. Processes come ascending by PID.
func (p *programs) recall(pr *scan.Process) bool {
	for p.next < p.before && p.list[p.next].pid < pr.PID {
		p.next++
	}
	if p.next == p.before {
		return false
	}
	l := &p.list[p.next]
	if l.pid != pr.PID || l.start != pr.Start || l.exec != pr.Exec {
		return false
	}
	pr.Exe, pr.ExeCut, pr.ExeDeleted, pr.ExeOrigin = l.path, l.cut, l.deleted, l.origin
	p.next++ // its place is free
	return true
}

// keep keeps the executable of a process for the next scan, behind recall for it.
func (p *programs) keep(pr *scan.Process) {
	e := executedBy(pr)
	if p.kept < p.next {
		p.list[p.kept] = e
		p.kept++
		return
	}
	p.list = append(p.list, e)
}

// end is called behind the last process of a scan.
func (p *programs) end() {
	added := copy(p.list[p.kept:], p.list[p.before:])
	n := p.kept + added
	clear(p.list[n:]) // it would keep paths
	if p.list = p.list[:n]; added > 0 {
		slices.SortFunc(p.list, func(a, b executed) int { return cmp.Compare(a.pid, b.pid) })
	}
	if again(p.list) == nil { // a burst is over
		p.list = slices.Clone(p.list)
	}
}
