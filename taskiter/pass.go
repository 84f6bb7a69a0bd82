// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"iter"
	"slices"
	"unique"
	"unsafe"

	"github.com/landlockd/landlockd/scan"
)

// pass collects the records of one or more passes of one scan. Its memory is
// used again for the next scan.
type pass struct {
	// stream is the records as they came, and at where in it those of tasks begin.
	stream []byte
	at     []uint32
	// before is how many bytes the scan before this one read, if that was not the same.
	before int
	// digests are of the reads that stream is of. At rest they are all that is left of the pass.
	digests digests
	resting bool
	// order holds, for the passes one after the other, the tasks grouped by
	// process: PID in the upper half, index in at in the lower.
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
	// has not come yet, and grantees are those whose record came.
	granted  [][ruleLayers]uint32
	grantee  int32
	grantees []grantee
	control  *control
}

// grantee is the place of a task's record and its taskRecord.granted.
type grantee struct {
	place   int32
	granted uint32
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
	if len(p.stream) > 0 {
		p.before, p.stream = len(p.stream), again(p.stream)
	} else { // behind a rest
		p.stream = make([]byte, 0, p.before+p.before/8)
	}
	p.at, p.order, p.groups = again(p.at), again(p.order), again(p.groups)
	clear(p.exes) // it would keep paths
	p.exes, p.pathBytes, p.granted = again(p.exes), 0, again(p.granted)
	p.missed = again(p.missed)
	p.scratch, p.grantee, p.grantees = again(p.scratch), 0, again(p.grantees)
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
		p.task(r)
	case *domainRecord:
		p.domain(r)
	case *exeRecord:
		p.exe(r, rest)
	case *grantsRecord:
		var masks [ruleLayers]uint32
		copy(masks[:], listOf[uint32](rest))
		// Neighbours are mostly granted the same.
		if n := len(p.granted); n == 0 || p.granted[n-1] != masks {
			p.granted = append(p.granted, masks)
		}
		p.grantee = r.Tid
	case *endRecord:
		p.ended = true
	}
}

// task takes a task's record, which is in stream.
func (p *pass) task(r *objectTaskRecord) {
	r.Spare = 0
	if p.grantee == r.Tid {
		r.Spare = uint32(len(p.granted))
		p.grantees = append(p.grantees, grantee{int32(len(p.at)), r.Spare})
	}
	p.grantee = 0
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(p.stream)))
	p.at = append(p.at, uint32(uintptr(unsafe.Pointer(r))-begin))
}

// record returns the record of the task in a place. It is valid until more is read.
func (p *pass) record(place int) *taskRecord {
	return (*taskRecord)(unsafe.Pointer(&p.stream[p.at[place]]))
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
func (p *pass) run(read reader) ([]group, error) {
	firstTask, firstOrder, firstGroup := len(p.at), len(p.order), len(p.groups)
	p.ended = false
	if err := read(p.block); err != nil {
		return nil, err
	}
	return p.group(firstTask, firstOrder, firstGroup)
}

// block takes the records of one read.
func (p *pass) block(b []byte) error {
	n := len(p.stream)
	p.stream = append(p.stream, b...)
	return parse(p.stream[n:], p)
}

// group puts what a pass read into groups.
func (p *pass) group(firstTask, firstOrder, firstGroup int) ([]group, error) {
	if !p.ended {
		return nil, errors.New("the task iterator stopped before its end")
	}
	for i := firstTask; i < len(p.at); i++ {
		p.order = append(p.order, uint64(uint32(p.record(i).Pid))<<32|uint64(i))
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
		return unsafe.Slice(p.record(int(first)), 1)
	}
	p.scratch = p.scratch[:0]
	for _, o := range p.order[g.lo:g.hi] {
		p.scratch = append(p.scratch, *p.record(int(uint32(o))))
	}
	return p.scratch
}

// tasksOf yields the tasks of all groups but those that are outside, with their places
// in the pass.
func (p *pass) tasksOf(groups []group) iter.Seq2[int32, *taskRecord] {
	return func(yield func(int32, *taskRecord) bool) {
		for _, g := range groups {
			if g.verdict == outside {
				continue
			}
			for _, o := range p.order[g.lo:g.hi] {
				if place := int32(uint32(o)); !yield(place, p.record(int(place))) {
					return
				}
			}
		}
	}
}

// runAgain is run in place of reset and run, and reports whether all that was read is what the
// last scan read, byte for byte: then nothing of the pass has changed, and the groups are those
// of that scan, with their verdicts. That must have been of one pass.
func (p *pass) runAgain(read reader) (groups []group, same bool, err error) {
	same = true
	seen := 0
	p.digests.forget()
	err = read(func(b []byte) error {
		if same {
			p.digests.add(b)
			end := seen + len(b)
			if end <= len(p.stream) && bytes.Equal(p.stream[seen:end], b) {
				seen = end
				return nil
			}
			same = false
			if err := p.takeAgain(seen); err != nil {
				return err
			}
		}
		return p.block(b)
	})
	switch {
	case err != nil:
		return nil, false, err
	case same && seen == len(p.stream):
		return p.groups, true, nil
	case same: // the beginning alone
		same = false
		err = p.takeAgain(seen)
	}
	if err == nil {
		groups, err = p.group(0, 0, 0)
	}
	return groups, false, err
}

// takeAgain begins anew with the first bytes of what was read.
func (p *pass) takeAgain(seen int) error {
	stream := p.stream[:seen]
	p.reset()
	p.stream, p.ended = stream, false
	return parse(p.stream, p)
}

// rest gives up all that was read, but what recognizes a pass that reads the same: runAtRest, which
// is then in place of runAgain. The last pass was one.
func (p *pass) rest() {
	if len(p.digests.of) == 0 {
		p.stream = slices.Clone(p.stream) // which had room to grow
		return
	}
	p.before, p.resting = len(p.stream), true
	p.giveUp()
}

// giveUp gives up the memory of all records.
func (p *pass) giveUp() {
	*p = pass{control: p.control, before: p.before, digests: p.digests, resting: p.resting}
}

// runAtRest makes a pass and reports whether all that it read is what the pass before the rest did,
// byte for byte. If not, it goes no further, the rest is over, and the caller makes another pass.
func (p *pass) runAtRest(read reader) (same bool, err error) {
	same = true
	place := 0
	err = read(func(b []byte) error {
		if same = p.digests.are(place, b); !same {
			return io.EOF
		}
		place++
		return nil
	})
	if same = err == nil && same && place == len(p.digests.of); !same {
		p.wake()
	}
	return same, err
}

// wake ends the rest.
func (p *pass) wake() {
	p.digests.forget()
	p.resting = false
}

// keep makes stream what came, for runAgain, and restore undoes that.
func (p *pass) keep() {
	for _, g := range p.grantees {
		p.record(int(g.place)).Spare = 0
	}
}

func (p *pass) restore() {
	for _, g := range p.grantees {
		p.record(int(g.place)).Spare = g.granted
	}
}

func findGroup(gs []group, pid int32) (int, bool) {
	return slices.BinarySearchFunc(gs, pid, func(g group, pid int32) int { return cmp.Compare(g.pid, pid) })
}
