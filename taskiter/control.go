// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

type (
	controlBlock = objectControlBlock
	want         = objectWant
)

const (
	pidSlots  = uint32(objectLimitPID_SLOTS)
	wantSlots = uint32(objectLimitWANT_SLOTS)
)

// control is the memory that the programs share with this process. It is
// written only while no iterator runs, but for maxDomains.
type control struct {
	mem []byte
	*controlBlock
}

func mapControl(fd int) (*control, error) {
	page := os.Getpagesize()
	size := (int(unsafe.Sizeof(controlBlock{})) + page - 1) / page * page
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap of the control map: %w", err)
	}
	return &control{mem, (*controlBlock)(unsafe.Pointer(unsafe.SliceData(mem)))}, nil
}

func (c *control) close() error {
	c.controlBlock = nil
	return unix.Munmap(c.mem)
}

// want adds a process to the selection. Processes whose PIDs are equal in the
// lowest 16 bits are returned with it; the caller passes over those.
func (c *control) want(pid int32) { addTo(&c.Wanted, pid) }

func addTo(set *[pidSlots / 8]uint8, pid int32) {
	bit := uint32(pid) % pidSlots
	set[bit/8] |= 1 << (bit % 8)
}

// wantRules asks for rules through a task. It reports whether there was room:
// tasks with numbers that are alike have to wait for another pass.
func (c *control) wantRules(w want) bool {
	at := &c.Wants[uint32(w.Tid)%wantSlots]
	if at.Tid != 0 {
		return false
	}
	*at = w
	return true
}

// cutDomains ends the describing of domains in the pass that runs, for whoever has
// many; for those that rules are about (the second place) only when all is full.
func (c *control) cutDomains(described int) {
	switch {
	case described >= 2*maxDomains:
		c.MaxDomains = [2]uint32{}
	case described >= maxDomains:
		c.MaxDomains[0] = min(c.MaxDomains[0], leastDomains)
	}
}

// favour sets the processes whose budgets are their own.
func (c *control) favour(pids []int32) {
	clear(c.Favoured[:])
	for _, pid := range pids {
		addTo(&c.Favoured, pid)
	}
}

func (c *control) isFavoured(pid int32) bool {
	bit := uint32(pid) % pidSlots
	return c.Favoured[bit/8]>>(bit%8)&1 != 0
}
