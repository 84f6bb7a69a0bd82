// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is an io_uring, by which one call is made after the other.
type ring struct {
	fd           int
	queue, calls []byte // the queues that the kernel shares, and the calls of the first
	params       ringParams
	text         [2][unix.PathMax]byte // arguments: the kernel has their addresses
	how          unix.OpenHow
}

// ringParams is struct io_uring_params (include/uapi/linux/io_uring.h), which has three
// queues' offsets behind ten words.
type ringParams struct {
	sqEntries, cqEntries, flags, _, _, features uint32
	_                                           [4]uint32
	// Offsets of the queue of calls: head, tail, mask, entries, flags, dropped, array.
	sq [10]uint32
	// And of results: head, tail, mask, entries, overflow, results.
	cq [10]uint32
}

// ringCall is struct io_uring_sqe.
type ringCall struct {
	op           uint8
	_            [3]byte
	fd           int32
	off          uint64
	addr         uint64
	length, with uint32
	_            [4]uint64
}

// Operations of io_uring.
const (
	ringConnect  = 16
	ringOpenAt   = 18
	ringOpenAt2  = 28
	ringRename   = 35
	ringUnlink   = 36
	ringMkdir    = 37
	ringSymlink  = 38
	ringLink     = 39
	ringBind     = 56 // Linux 6.11
	ringOneQueue = 1  // IORING_FEAT_SINGLE_MMAP
)

func newRing() (*ring, error) {
	r := &ring{}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&r.params)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup(2): %w", errno)
	}
	r.fd = int(fd)
	const offCalls = 0x10000000
	results := int(r.params.cq[5] + r.params.cqEntries*16)
	size := max(int(r.params.sq[6]+r.params.sqEntries*4), results)
	var err error
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	if r.params.features&ringOneQueue == 0 {
		err = errors.ErrUnsupported
	}
	if err == nil {
		r.queue, err = unix.Mmap(r.fd, 0, size, prot, flags)
	}
	if err == nil {
		r.calls, err = unix.Mmap(r.fd, offCalls, int(unsafe.Sizeof(ringCall{})), prot, flags)
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("map an io_uring: %w", err)
	}
	return r, nil
}

func (r *ring) close() {
	if r == nil {
		return
	}
	if r.queue != nil {
		_ = unix.Munmap(r.queue)
	}
	if r.calls != nil {
		_ = unix.Munmap(r.calls)
	}
	unix.Close(r.fd)
}

func (r *ring) word(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.queue[offset])) }

// do makes one call and waits for what comes of it.
func (r *ring) do(call ringCall) (int, error) {
	if r == nil {
		return -1, errors.ErrUnsupported
	}
	*(*ringCall)(unsafe.Pointer(&r.calls[0])) = call
	*r.word(r.params.sq[6]) = 0
	*r.word(r.params.sq[1])++
	const wait = 1 // IORING_ENTER_GETEVENTS
	submit := uintptr(1)
	for {
		_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), submit, 1, wait, 0, 0)
		head := r.word(r.params.cq[0])
		if *head != *r.word(r.params.cq[1]) {
			at := r.params.cq[5] + *head%r.params.cqEntries*16
			result := int32(*r.word(at + 8))
			*head++
			runtime.KeepAlive(r)
			if result < 0 {
				return -1, unix.Errno(-result)
			}
			return int(result), nil
		}
		if errno != 0 && errno != unix.EINTR {
			return -1, fmt.Errorf("io_uring_enter(2): %w", errno)
		}
		submit = 0
	}
}

// arg has the kernel see a text, or an address, as argument number i.
func (r *ring) arg(i int, text string) uint64 {
	if r == nil {
		return 0
	}
	n := copy(r.text[i][:len(r.text[i])-1], text)
	r.text[i][n] = 0
	return uint64(uintptr(unsafe.Pointer(&r.text[i])))
}

const cwd = unix.AT_FDCWD

func (r *ring) open(path string, flags int) (int, error) {
	with := uint32(flags | unix.O_CLOEXEC)
	return r.do(ringCall{op: ringOpenAt, fd: cwd, addr: r.arg(0, path), with: with})
}

func (r *ring) open2(path string, flags int) (int, error) {
	if r == nil {
		return -1, errors.ErrUnsupported
	}
	r.how = unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC)}
	return r.do(ringCall{op: ringOpenAt2, fd: cwd, addr: r.arg(0, path),
		off: uint64(uintptr(unsafe.Pointer(&r.how))), length: unix.SizeofOpenHow})
}

// name makes a call about one or two names.
func (r *ring) name(op uint8, path string, with uint32) error {
	_, err := r.do(ringCall{op: op, fd: cwd, addr: r.arg(0, path), with: with})
	return err
}

func (r *ring) mkdir(path string) error {
	_, err := r.do(ringCall{op: ringMkdir, fd: cwd, addr: r.arg(0, path), length: 0o700})
	return err
}

func (r *ring) names(op uint8, from, to string) error {
	at := int32(cwd)
	call := ringCall{op: op, fd: at, addr: r.arg(0, from), off: r.arg(1, to), length: uint32(at)}
	_, err := r.do(call)
	return err
}

func (r *ring) symlink(target, path string) error {
	_, err := r.do(ringCall{op: ringSymlink, fd: cwd, addr: r.arg(0, target), off: r.arg(1, path)})
	return err
}

// socket makes a call about a socket and an address as the kernel has it.
func (r *ring) socket(op uint8, fd int, address string) error {
	call := ringCall{op: op, fd: int32(fd), addr: r.arg(0, address), off: uint64(len(address))}
	_, err := r.do(call)
	return err
}
