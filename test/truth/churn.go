// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The families of a [Churn]: the comm of all their processes, at every instant.
const (
	// Always: every task is sandboxed.
	Always = "ld-always"
	// Never: no task is sandboxed.
	Never = "ld-never"
	// Mixed: each process goes through states and keeps a record of them.
	Mixed = "ld-mixed"
)

// Churn is a number of processes that never stand still: about a third of them
// in each family.
type Churn struct {
	c   *coordinator
	mem []byte
	m   *livesMemory
}

// StartChurn starts one with the actor at bin ([Build]). There are never more
// than limit processes, zombies included.
func StartChurn(ctx context.Context, bin string, seed uint64, limit int) (*Churn, error) {
	fd, err := unix.MemfdCreate("lives", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("start a churn: memfd_create(2): %w", err)
	}
	file := os.NewFile(uintptr(fd), "lives")
	defer file.Close()
	size := int(unsafe.Sizeof(livesMemory{}))
	if err := file.Truncate(int64(size)); err != nil {
		return nil, fmt.Errorf("start a churn: %w", err)
	}
	// Populated: thousands of page faults later would be taken beside the churn.
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("start a churn: mmap(2): %w", err)
	}
	ch := &Churn{mem: mem, m: (*livesMemory)(unsafe.Pointer(&mem[0]))}
	c, out, err := start(ctx, bin, []*os.File{file}, "--churn", strconv.FormatUint(seed, 10), strconv.Itoa(limit))
	if err != nil {
		return nil, errors.Join(err, unix.Munmap(mem))
	}
	ch.c = c
	var hello struct{ ABI int }
	if err := json.Unmarshal(out, &hello); err != nil {
		return nil, errors.Join(fmt.Errorf("start a churn: %w", err), ch.Close())
	}
	if ch.m.Magic != livesMagic || ch.m.LifeSize != uint64(unsafe.Sizeof(lifeMemory{})) || ch.m.Count != livesCount {
		return nil, errors.Join(errors.New("start a churn: the shared memory has another layout than here"), ch.Close())
	}
	return ch, nil
}

// Close ends and reaps every process, and fails if one is left or had crashed.
func (c *Churn) Close() error {
	if c.mem == nil {
		return nil
	}
	err := errors.Join(c.c.close(), unix.Munmap(c.mem))
	c.mem, c.m = nil, nil
	return err
}

// Done returns how often each kind of operation has happened so far.
func (c *Churn) Done() map[string]uint64 {
	d := &c.m.Done
	load := func(w *uint64) uint64 { return atomic.LoadUint64(w) }
	return map[string]uint64{
		"process": load(&d.Processes), "exec": load(&d.Execs), "exec_from_thread": load(&d.ThreadExecs),
		"vfork": load(&d.Vforks), "thread": load(&d.Threads), "thread_exit": load(&d.ThreadExits),
		"leader_exit": load(&d.LeaderExits), "restrict": load(&d.Restricts),
		"transition": load(&d.Transitions), "clone_parent": load(&d.CloneParents),
	}
}

// Now returns nanoseconds since boot, on the clock of the records.
func Now() uint64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // every kernel that has Landlock has the clock
	}
	return uint64(t.Nano())
}
