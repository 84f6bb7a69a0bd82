// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringSize is the size of the ring's data (RING_SIZE of bpf/event.h).
const ringSize = 512 << 10

// Bits of the length that precedes each record (include/uapi/linux/bpf.h).
const (
	busyBit    = 1 << 31
	discardBit = 1 << 30
	headerSize = 8
)

// ring is the reader's side of a BPF ring buffer. The kernel documents its layout
// in Documentation/bpf/ringbuf.rst: one page with the reader's position, one with
// the writer's, and the data, mapped twice in a row, so that no record is broken.
// Reading needs one system call only, to wait.
type ring struct {
	consumer, producer *uint64
	data               []byte // twice
	mappings           [][]byte
}

func mapRing(fd int) (*ring, error) {
	page := os.Getpagesize()
	consumer, err := unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap of the ring's position: %w", err)
	}
	rest, err := unix.Mmap(fd, int64(page), page+2*ringSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		_ = unix.Munmap(consumer)
		return nil, fmt.Errorf("mmap of the ring: %w", err)
	}
	r := newRing(consumer, rest[:page], rest[page:])
	r.mappings = [][]byte{consumer, rest}
	return r, nil
}

func newRing(consumer, producer, data []byte) *ring {
	position := func(b []byte) *uint64 { return (*uint64)(unsafe.Pointer(unsafe.SliceData(b))) }
	return &ring{consumer: position(consumer), producer: position(producer), data: data}
}

func (r *ring) close() error {
	var err error
	for _, m := range r.mappings {
		err = errors.Join(err, unix.Munmap(m))
	}
	return err
}

// read hands the records that are there when it is called to f, which does not keep
// them, and returns their number. A record that is still being written ends it.
func (r *ring) read(f func([]byte)) int {
	size := uint64(len(r.data) / 2)
	n := 0
	at, end := atomic.LoadUint64(r.consumer), atomic.LoadUint64(r.producer)
	for at < end {
		start := at % size
		head := atomic.LoadUint32((*uint32)(unsafe.Pointer(&r.data[start])))
		if head&busyBit != 0 {
			break
		}
		length := uint64(head &^ (busyBit | discardBit))
		if length > size-headerSize {
			// Only whoever writes to the reader's position can make it so. What
			// is there now is lost.
			atomic.StoreUint64(r.consumer, end)
			break
		}
		if head&discardBit == 0 {
			f(r.data[start+headerSize : start+headerSize+length])
			n++
		}
		at += (length + headerSize + 7) &^ 7
		atomic.StoreUint64(r.consumer, at)
	}
	return n
}
