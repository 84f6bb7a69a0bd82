// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"unique"

	"github.com/landlockd/landlockd/scan"
)

// pass collects the records of one or more passes of one scan. Its memory is
// used again for the next scan.
type pass struct {
	tasks []taskRecord
	// order holds, for the passes one after the other, the tasks grouped by
	// process: PID in the upper half, index in tasks in the lower.
	order   []uint64
	groups  []group
	domains map[uint64]int32 // by key, index in described
	// described are the domains in the order in which they came; a parent
	// may stand behind its children.
	described []domainRecord
	exes      []exeEntry
	pathBytes int
	missed    []int32 // processes whose executable changed while it was read
	ended     bool
	scratch   []taskRecord
	// granted are the masks of the views in which something is granted; see
	// taskRecord.granted. grantee is the task that the last ones are of, if its record
	// has not come yet.
	granted [][ruleLayers]uint32
	grantee int32
	control *control
}

// group is the records of one process in one pass: order[lo:hi].
type group struct {
	pid     int32
	lo, hi  int32
	verdict verdict
}

// exeEntry is a new executable.
type exeEntry struct {
	pid  int32
	bits uint32 // exe*
	exec uint64
	path string
}

func (p *pass) reset() {
	p.tasks, p.order, p.groups = again(p.tasks), again(p.order), again(p.groups)
	clear(p.exes) // it would keep paths
	p.exes, p.pathBytes, p.granted = again(p.exes), 0, again(p.granted)
	p.missed = again(p.missed)
	p.scratch, p.grantee = again(p.scratch), 0
	before := cap(p.described)
	if p.described = again(p.described); p.domains == nil || cap(p.described) < before {
		p.domains = map[uint64]int32{}
	}
	clear(p.domains)
}

// again returns a slice's memory for the next scan, or none if the last one needed
// little of it: what a burst took is given back.
func again[T any](s []T) []T {
	const small = 4096
	if cap(s) > small && cap(s) > 4*len(s) {
		return nil
	}
	return s[:0]
}

// take takes the records of a pass.
func (p *pass) take(record any, rest []byte) {
	switch r := record.(type) {
	case *objectTaskRecord:
		t := taskRecord{*r}
		t.setGranted(0)
		if p.grantee == r.Tid {
			t.setGranted(len(p.granted))
		}
		p.tasks, p.grantee = append(p.tasks, t), 0
	case *domainRecord:
		p.domain(r)
	case *exeRecord:
		p.exe(r, rest)
	case *grantsRecord:
		var masks [ruleLayers]uint32
		copy(masks[:], listOf[uint32](rest))
		p.granted, p.grantee = append(p.granted, masks), r.Tid
	case *endRecord:
		p.ended = true
	}
}

func (p *pass) domain(r *domainRecord) {
	i, ok := p.domains[r.Key]
	if !ok {
		p.domains[r.Key] = int32(len(p.described))
		if p.described = append(p.described, *r); p.control != nil {
			p.control.cutDomains(len(p.described))
		}
		return
	}
	// The number of rules comes only with a task that is in the domain itself.
	// Behind an address there may be another domain now: the later record is
	// that of the tasks that are settled (deriver).
	old := p.described[i]
	p.described[i] = *r
	if r.NumRules == absent && r.Mask == old.Mask && r.Parent == old.Parent && r.Depth == old.Depth {
		p.described[i].NumRules = old.NumRules
	}
}

func (p *pass) exe(r *exeRecord, path []byte) {
	bits := r.Bits
	if bits&exeMissed != 0 {
		p.missed = append(p.missed, r.Pid)
		return
	}
	if len(path) > scan.CutPath && p.pathBytes+len(path) > maxPathBytes {
		// What the kernel puts behind the path of a deleted file is cut off, too.
		path, bits = path[:scan.CutPath], bits&^exeUnlinked|exeLong
	}
	p.pathBytes += len(path)
	p.exes = append(p.exes, exeEntry{r.Pid, bits, r.ExecId, unique.Make(string(path)).Value()})
}

// run makes one pass and returns its groups, ascending by PID. They are valid
// until the next run.
func (p *pass) run(read func(sink) error) ([]group, error) {
	firstTask, firstOrder, firstGroup := len(p.tasks), len(p.order), len(p.groups)
	p.ended = false
	if err := read(p); err != nil {
		return nil, err
	}
	if !p.ended {
		return nil, errors.New("the task iterator stopped before its end")
	}
	for i := firstTask; i < len(p.tasks); i++ {
		p.order = append(p.order, uint64(uint32(p.tasks[i].Pid))<<32|uint64(i))
	}
	// Nearly sorted already: only threads stand apart from their leader.
	slices.Sort(p.order[firstOrder:])
	for i := firstOrder; i < len(p.order); i++ {
		pid := int32(p.order[i] >> 32)
		if n := len(p.groups); n == firstGroup || p.groups[n-1].pid != pid {
			p.groups = append(p.groups, group{pid: pid, lo: int32(i)})
		}
		p.groups[len(p.groups)-1].hi = int32(i + 1)
	}
	return p.groups[firstGroup:], nil
}

// records returns a group's records in the order in which they were visited.
// They are valid until the next call.
func (p *pass) records(g group) []taskRecord {
	first := uint32(p.order[g.lo])
	if g.hi-g.lo == 1 {
		return p.tasks[first : first+1]
	}
	p.scratch = p.scratch[:0]
	for _, o := range p.order[g.lo:g.hi] {
		p.scratch = append(p.scratch, p.tasks[uint32(o)])
	}
	return p.scratch
}

// tasksOf yields the tasks of all groups but those that are outside, with their places
// in p.tasks.
func (p *pass) tasksOf(groups []group) iter.Seq2[int32, *taskRecord] {
	return func(yield func(int32, *taskRecord) bool) {
		for _, g := range groups {
			if g.verdict == outside {
				continue
			}
			for _, o := range p.order[g.lo:g.hi] {
				if place := int32(uint32(o)); !yield(place, &p.tasks[place]) {
					return
				}
			}
		}
	}
}

func findGroup(gs []group, pid int32) (int, bool) {
	return slices.BinarySearchFunc(gs, pid, func(g group, pid int32) int { return cmp.Compare(g.pid, pid) })
}
