// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/runs"
)

// control is the memory that the programs share with this process.
type control struct {
	mem []byte
	*objectRunControl
}

func mapControl(fd int) (control, error) {
	page := os.Getpagesize()
	size := (int(unsafe.Sizeof(objectRunControl{})) + page - 1) / page * page
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return control{}, fmt.Errorf("mmap of the control map: %w", err)
	}
	return control{mem, (*objectRunControl)(unsafe.Pointer(unsafe.SliceData(mem)))}, nil
}

func (c control) close() error { return unix.Munmap(c.mem) }

// ends is a number that has grown if anything was counted.
func (c control) ends() uint64 {
	return atomic.LoadUint64(&c.Cost[objectEventEVENT_EXEC].Calls) +
		atomic.LoadUint64(&c.Cost[objectEventEVENT_EXIT].Calls)
}

// takeTurn has the programs count in the other table.
func (c control) takeTurn() {
	atomic.StoreUint32(&c.Used[c.Active^1], 0)
	atomic.StoreUint32(&c.Turn, c.Turn+1)
	atomic.StoreUint32(&c.Active, c.Active^1)
}

// ask sets ages in the place of those before the last ones, and returns their number.
func (c control) ask(ages []time.Duration, comm bool) uint16 {
	next := c.Asked + 1
	for i, age := range ages {
		atomic.StoreUint64(&c.Ages[next&1][i], uint64(age))
	}
	atomic.StoreUint32(&c.Num[next&1], uint32(len(ages)))
	atomic.StoreUint32(&c.Asked, next)
	see := uint32(0)
	if comm {
		see = 1
	}
	atomic.StoreUint32(&c.SeeComm, see)
	return uint16(next)
}

// mark sets the marked processes. Those that stay are so all the time.
func (c control) mark(processes []runs.Process) {
	want := make(map[int]uint64, len(processes))
	for _, p := range processes[:min(len(processes), runs.MaxMarked)] {
		want[int(uint32(p.PID))%len(c.Marks)] = p.Start
	}
	for i := range c.Marks {
		if start := want[i]; c.Marks[i] != start {
			atomic.StoreUint64(&c.Marks[i], start)
		}
	}
}

// Costs are what the programs' calls took, by event, as they kept it themselves.
func (r *Reader) Costs() map[string]Cost {
	costs := map[string]Cost{}
	for event, c := range r.control.Cost {
		costs[[...]string{"fork", "exec", "exit"}[event]] = Cost{
			Calls: atomic.LoadUint64(&c.Calls), Sum: time.Duration(c.SumNs), Longest: time.Duration(c.MaxNs),
		}
	}
	return costs
}

// Cost is what the calls for one kind of event took.
type Cost struct {
	Calls        uint64
	Sum, Longest time.Duration
}
