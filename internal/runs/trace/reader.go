// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/internal/runs"
)

const (
	// rest is how long a table is left alone before it is emptied: a program that had
	// begun to count in it has ended by then.
	rest = time.Second
	// fewCells is how many a table has before the other one is taken.
	fewCells = uint32(objectSizesCELLS) / 8
	// fewExes is how many executables are known before those are forgotten that nobody runs.
	fewExes = uint32(objectSizesEXES) / 4
	// keptAges is how many sets of ages are remembered.
	keptAges = 64
)

type (
	cellKey    = objectCellKey
	cellRecord = objectCellRecord
)

// Reader drains what the programs count. It is a [runs.Feed].
type Reader struct {
	state   State
	files   bpffile.Files
	infos   bpffile.Files // of the programs
	control control
	wake    *wakeup
	buf     []byte

	counts [2]map[cellKey]uint64 // what was drained of the cells of each table
	exes   names
	groups names
	ages   map[uint16][]time.Duration

	ends    uint64    // that control had when it was last drained
	turned  time.Time // when the other table was taken; zero if it is empty
	other   [objectSizesKINDS][objectSizesSTATES]uint64
	misses  misses
	unseen  uint64 // events that all copies of a program missed, at most
	missed  uint64
	pending map[cellKey]ended // what has been read, and not been returned
	sought  map[cellKey]bool  // some name of theirs was looked for in this turn
}

// ended is what is new of one cell.
type ended struct {
	count uint64
	last  runs.Last
}

var _ runs.Feed = (*Reader)(nil)

// NewReader owns the files from then on. It needs no capability.
func NewReader(st State, files []*os.File) (*Reader, error) {
	if n := st.NumFiles(); n == 0 || len(files) != n {
		return nil, fmt.Errorf("ends of processes: %d descriptors, expected %d", len(files), n)
	}
	infos, err := openInfos(files[st.missFiles():])
	if err != nil {
		return nil, fmt.Errorf("ends of processes: %w", err)
	}
	c, err := mapControl(int(files[controlFile].Fd()))
	if err != nil {
		infos.Close()
		return nil, fmt.Errorf("ends of processes: %w", err)
	}
	wake, err := newWakeup(files[wakeFile])
	if err != nil {
		infos.Close()
		return nil, errors.Join(fmt.Errorf("ends of processes: %w", err), c.close())
	}
	return &Reader{
		state: st, files: files, infos: infos, control: c, wake: wake, buf: make([]byte, bpffile.ReadSize),
		counts: [2]map[cellKey]uint64{{}, {}}, exes: names{}, groups: names{},
		ages: map[uint16][]time.Duration{}, pending: map[cellKey]ended{}, sought: map[cellKey]bool{},
	}, nil
}

// Filling implements [runs.Feed].
func (r *Reader) Filling() <-chan struct{} { return r.wake.filling }

// Ask implements [runs.Feed].
func (r *Reader) Ask(ages []time.Duration, comm bool) error {
	if len(ages) > runs.MaxAges || !slices.IsSorted(ages) {
		return fmt.Errorf("%d ages, at most %d in their order can be distinguished",
			len(ages), runs.MaxAges)
	}
	number := r.control.ask(ages, comm)
	r.ages[number] = slices.Clone(ages)
	maps.DeleteFunc(r.ages, func(n uint16, _ []time.Duration) bool { return number-n > keptAges })
	return nil
}

// Mark implements [runs.Feed].
func (r *Reader) Mark(processes []runs.Process) { r.control.mark(processes) }

// Close implements [runs.Feed]. The programs count no more.
func (r *Reader) Close() error {
	return errors.Join(r.wake.close(), r.control.close(), r.closeFiles())
}

func (r *Reader) closeFiles() (err error) {
	r.infos.Close()
	for i, f := range r.files {
		if i != wakeFile {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}

// Drain implements [runs.Feed].
func (r *Reader) Drain() (runs.Drained, error) {
	ends := r.control.ends()
	if ends == r.ends && r.turned.IsZero() {
		return runs.Drained{Missed: r.missed}, nil
	}
	if err := r.drain(); err != nil {
		return runs.Drained{Missed: r.missed}, err
	}
	if err := r.sweep(); err != nil {
		return runs.Drained{Missed: r.missed}, err
	}
	r.ends = ends
	d := runs.Drained{Cells: r.cells(), Missed: r.missed}
	clear(r.pending)
	return d, nil
}

// drain reads both tables, and the names that are new in them.
func (r *Reader) drain() error {
	active := r.control.Active & 1
	if !r.turned.IsZero() {
		if err := r.drainOther(active ^ 1); err != nil {
			return err
		}
	}
	if err := r.drainTable(active); err != nil {
		return err
	}
	turn := r.turned.IsZero() && atomic.LoadUint32(&r.control.Used[active]) > fewCells
	forget := turn || atomic.LoadUint32(&r.control.UsedExes) > fewExes
	if r.lacksNames() || forget { // what is forgotten has its name read before
		if err := r.readNames(false); err != nil {
			return err
		}
	}
	if forget {
		if err := r.readNames(true); err != nil {
			return err
		}
	}
	if turn {
		clear(r.sought)
		r.control.takeTurn()
		r.turned = time.Now()
	}
	atomic.StoreUint32(&r.control.Woken, 0)
	return nil
}

// drainTable reads what is new in a table.
func (r *Reader) drainTable(table uint32) error {
	return r.iterate(drainFiles+int(table), false, r.take(table))
}

// drainOther reads the table that was taken before, in which some were still counted after it was
// read the last time.
func (r *Reader) drainOther(table uint32) error {
	if time.Since(r.turned) < rest {
		return r.drainTable(table)
	}
	err := r.empty(table)
	if err == nil {
		r.turned = time.Time{}
	}
	return err
}

// empty reads all cells of a table that nobody counts in any more, and removes them. The
// kernel goes on behind as many cells of a bucket as it has returned, so that it passes over
// some once others are removed.
func (r *Reader) empty(table uint32) error {
	for more := true; more; {
		more = false
		take := r.take(table)
		err := r.iterate(drainFiles+int(table), true, func(b []byte) error {
			more = true
			return take(b)
		})
		if err != nil {
			return err
		}
	}
	clear(r.counts[table])
	return nil
}

// iterate runs one of the iterators; with whole it removes what it returns.
func (r *Reader) iterate(file int, whole bool, take func([]byte) error) error {
	if whole {
		atomic.StoreUint32(&r.control.Whole, 1)
		defer atomic.StoreUint32(&r.control.Whole, 0)
	}
	fd := int(r.files[file].Fd())
	if err := bpffile.Iterate(context.Background(), fd, r.buf, take); err != nil {
		return fmt.Errorf("ends of processes: %w", err)
	}
	return nil
}

// take returns what adds records of a table to pending. One that comes twice counts once.
func (r *Reader) take(table uint32) func([]byte) error {
	const size = int(unsafe.Sizeof(cellRecord{}))
	return func(b []byte) error {
		for ; len(b) >= size; b = b[size:] {
			rec := (*cellRecord)(unsafe.Pointer(unsafe.SliceData(b)))
			before := r.counts[table][rec.Key]
			if rec.Cell.Count <= before {
				continue
			}
			r.counts[table][rec.Key] = rec.Cell.Count
			e := r.pending[rec.Key]
			e.count += rec.Cell.Count - before
			if rec.Cell.Pid != 0 && rec.Cell.End >= e.last.End {
				e.last = runs.Last{
					PID: int32(rec.Cell.Pid), Start: rec.Cell.Start, End: rec.Cell.End, Comm: rec.Cell.Comm,
				}
			}
			r.pending[rec.Key] = e
		}
		if len(b) > 0 {
			return fmt.Errorf("%d bytes of a cell, expected %d", len(b), size)
		}
		return nil
	}
}

// lacksNames reports whether a name of a cell has not been read.
func (r *Reader) lacksNames() bool {
	lacks := func(n names, k nameKey) bool {
		_, ok := n[k]
		return k.id != 0 && !ok
	}
	any := false
	for k := range r.pending {
		if lacks(r.exes, nameKey{id: k.Exe}) || lacks(r.groups, nameKey{id: k.Cgroup}) ||
			lacks(r.groups, nameKey{k.CgroupV1, true}) || lacks(r.groups, nameKey{id: k.Parent}) {
			// What is not found is sought once in a turn.
			any = any || !r.sought[k]
			r.sought[k] = true
		}
	}
	return any
}

// readNames reads all names; with whole the kernel forgets those that it needs no more.
func (r *Reader) readNames(whole bool) error {
	if len(r.exes) > maxNames || len(r.groups) > maxNames {
		r.forgetNames()
	}
	for file, n := range map[int]names{exesFile: r.exes, groupsFile: r.groups} {
		err := r.iterate(file, whole, func(b []byte) error { return n.read(b, file == groupsFile) })
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetNames drops the names that no cell which is counted in needs.
func (r *Reader) forgetNames() {
	exes, groups := names{}, names{}
	for _, table := range r.counts {
		for k := range table {
			exes.keep(r.exes, nameKey{id: k.Exe})
			groups.keep(r.groups, nameKey{id: k.Cgroup})
			groups.keep(r.groups, nameKey{k.CgroupV1, true})
			groups.keep(r.groups, nameKey{id: k.Parent})
		}
	}
	r.exes, r.groups = exes, groups
}
