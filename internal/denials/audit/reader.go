// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

// maxRecord is more than the kernel's longest record (MAX_AUDIT_MESSAGE_LENGTH).
const maxRecord = 16 << 10

// Reader reads denials from a socket that [Open] made. It is a [denials.Feed].
type Reader struct {
	*denials.Waiter     // closing it ends Run
	fd              int // the socket's; os.File.Fd would make it block again
	enabled         atomic.Bool

	mu     sync.Mutex
	socket *os.File // nil once it is closed
	drops  uint64   // of the socket
	kernel lostCount
	// lost is what was lost when the socket was closed.
	lost uint64
}

// NewReader owns the files from then on: the socket, and what OpenLost returned, if
// it did. enabled is whether audit is on, as far as is known.
func NewReader(socket *os.File, lost []*os.File, enabled bool) (*Reader, error) {
	kernel, err := newLostCount(lost)
	if err != nil {
		return nil, err
	}
	socketFD := int(socket.Fd())
	if err := unix.SetNonblock(socketFD, true); err != nil {
		return nil, fmt.Errorf("audit socket: %w", err)
	}
	waiter, err := denials.NewWaiter()
	if err != nil {
		return nil, err
	}
	r := &Reader{Waiter: waiter, fd: socketFD, socket: socket, kernel: kernel}
	r.enabled.Store(enabled)
	return r, nil
}

// Way is the word for it in landlockd_source_info.
func (r *Reader) Way() string { return scan.DenialsAudit }

// Active reports whether audit is on: it was when the reader was made, or a record of
// Landlock came since, and no record that it was switched off.
func (r *Reader) Active() bool { return r.enabled.Load() }

// ByBlocker returns nothing: what is not read is not counted.
func (r *Reader) ByBlocker() (counts [denials.NumBlockers]uint64, ok bool) { return counts, false }

// Lost is the number of records that found the socket full, or that the kernel lost
// before it sent them to anybody, if OpenLost can count those. Not all of them are
// denials: the former can be those of system calls and of domains, the latter can
// be anybody's.
func (r *Reader) Lost() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.socket == nil {
		return r.lost
	}
	var info [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(r.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno == 0 {
		// The kernel counts in 32 bits, and begins again with 0.
		r.drops += uint64(info[unix.SK_MEMINFO_DROPS] - uint32(r.drops))
	}
	r.lost = r.drops + r.kernel.read()
	return r.lost
}

// end closes what Run read from.
func (r *Reader) end() {
	r.Lost()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.enabled.Store(false)
	r.socket.Close()
	r.socket = nil
	r.kernel.close()
}

// Run hands denials to f until Close.
func (r *Reader) Run(f func(*denials.Event)) {
	defer r.end()
	c := newCorrelator(f)
	buf := make([]byte, maxRecord)
	for some := false; ; {
		switch n, err := receive(r.fd, buf); {
		case err == nil:
			r.record(c, buf[:n])
			some = true
			continue
		case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EINTR):
			continue // Lost counts it
		case !errors.Is(err, unix.EAGAIN):
			c.flush()
			return // the socket is no longer one
		}
		if some {
			// The socket has room for far more than comes meanwhile.
			time.Sleep(denials.Pause)
			some = false
		}
		most := time.Duration(-1)
		if c.n > 0 {
			most = maxWait
		}
		late, closed := r.Wait(r.fd, most)
		if late || closed {
			c.flush()
		}
		if closed {
			return
		}
	}
}

// receive reads one message that the kernel sent; 0 bytes stand for one of somebody
// else's.
func receive(fd int, buf []byte) (int, error) {
	// unix.Recvfrom would allocate an address for each.
	var from unix.RawSockaddrNetlink
	size := uint32(unsafe.Sizeof(from))
	n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), 0,
		uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0, errno
	}
	if from.Pid != 0 {
		return 0, nil
	}
	return int(n), nil
}

// record takes one message: a struct nlmsghdr and text.
func (r *Reader) record(c *correlator, b []byte) {
	if len(b) < unix.SizeofNlMsghdr {
		return
	}
	kind, text := binary.NativeEndian.Uint16(b[4:]), b[unix.SizeofNlMsghdr:]
	switch kind {
	case unix.AUDIT_CONFIG_CHANGE:
		if _, rest, ok := parseStamp(text); ok {
			if on, switched := config(rest); switched {
				r.enabled.Store(on)
			}
		}
	case unix.AUDIT_LANDLOCK_ACCESS, unix.AUDIT_LANDLOCK_DOMAIN:
		if !r.enabled.Load() {
			r.enabled.Store(true)
		}
		c.take(kind, text)
	case unix.AUDIT_SYSCALL:
		c.take(kind, text)
	}
}
