// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

// counts is the array of the same name in bpf/trace.c: a count for each blocker in
// the order of package denials, and that of lost events.
type counts [objectCountCOUNTS]uint64

// Reader reads denials from what Open returned. It is a [denials.Feed].
type Reader struct {
	*denials.Waiter // closing it ends Run
	ring            *ring
	ringFD          int
	counts          *counts
	memory          []byte // that counts is in

	mu    sync.Mutex
	files bpffile.Files // nil once they are closed
	last  counts        // what they were then
}

// NewReader owns the files from then on. It needs no capability and no bpf(2).
func NewReader(files []*os.File) (*Reader, error) {
	if len(files) != NumFiles {
		return nil, fmt.Errorf("tracepoints: %d descriptors, expected %d", len(files), NumFiles)
	}
	fd := int(files[0].Fd())
	ring, err := mapRing(fd)
	if err != nil {
		return nil, fmt.Errorf("tracepoints: %w", err)
	}
	memory, err := unix.Mmap(int(files[1].Fd()), 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tracepoints: mmap of the counts: %w", err), ring.close())
	}
	waiter, err := denials.NewWaiter()
	if err != nil {
		return nil, errors.Join(err, ring.close(), unix.Munmap(memory))
	}
	return &Reader{
		Waiter: waiter, ring: ring, ringFD: fd, memory: memory, files: files,
		counts: (*counts)(unsafe.Pointer(unsafe.SliceData(memory))),
	}, nil
}

// Way is the word for it in landlockd_source_info.
func (r *Reader) Way() string { return scan.DenialsTracepoints }

// Active is true: tracepoints cannot be switched off.
func (r *Reader) Active() bool { return true }

// ByBlocker returns what the programs counted, with what the ring had no room for.
func (r *Reader) ByBlocker() (by [denials.NumBlockers]uint64, ok bool) {
	copy(by[:], r.read()[:denials.NumBlockers])
	return by, true
}

// Lost is the number of denials that Run did not read.
func (r *Reader) Lost() uint64 { return r.read()[objectCountCOUNT_LOST] }

func (r *Reader) read() *counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.last
	if r.files != nil {
		for i := range c {
			c[i] = atomic.LoadUint64(&r.counts[i])
		}
	}
	return &c
}

// Run hands denials to f until Close.
func (r *Reader) Run(f func(*denials.Event)) {
	defer r.end()
	var e denials.Event
	for {
		booted := bootTime()
		n := r.ring.read(func(b []byte) {
			if parse(b, booted, &e) {
				f(&e)
			}
		})
		if n > 0 {
			// The programs wake nobody meanwhile, and the ring has room for some
			// million denials a second.
			time.Sleep(denials.Pause)
		}
		if _, closed := r.Wait(r.ringFD, -1); closed {
			return
		}
	}
}

// end detaches the programs.
func (r *Reader) end() {
	last := r.read()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = *last
	r.files.Close()
	r.files = nil
	_ = unix.Munmap(r.memory)
	_ = r.ring.close()
}

// bootTime returns when the host was booted, by the clocks of now; the zero time if
// that is not known.
func bootTime() time.Time {
	uptime, err := scan.Uptime()
	if err != nil {
		return time.Time{}
	}
	return time.Now().Round(0).Add(-uptime)
}
