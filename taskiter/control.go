// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wantedBits is the length of the selection of processes (WANTED_BITS in bpf/record.h).
const wantedBits = 65536

// controlBlock is struct control of bpf/record.h.
type controlBlock struct {
	epoch    uint32
	selected uint32
	helpers  [4]uint32
	wanted   [wantedBits / 8]byte
}

// control is the memory that the programs share with this process. It is
// written only while no iterator runs.
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
func (c *control) want(pid int32) {
	bit := uint32(pid) % wantedBits
	c.wanted[bit/8] |= 1 << (bit % 8)
}

func (c *control) wantNone() { c.wanted = [wantedBits / 8]byte{} }
