// SPDX-License-Identifier: Apache-2.0

package bpffile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ReadSize is more than the 32 KiB that the kernel returns at once, so that every read into
// a buffer of that size ends at the end of a record.
const ReadSize = 64 << 10

// Iterate runs the iterator behind a link, and hands what one read returned after the other
// to take, until that returns [io.EOF] or ctx ends. It is one bpf(2), one read(2) for every 32
// KiB and one close(2).
func Iterate(ctx context.Context, link int, buf []byte, take func([]byte) error) error {
	fd, err := CreateIterator(link)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := unix.Read(fd, buf)
		switch {
		// EAGAIN: a million objects were passed over without a record.
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return fmt.Errorf("read: %w", err)
		case n == 0:
			return nil
		}
		if err := take(buf[:n]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// CreateIterator calls the one command of bpf(2) that the serving stage uses: it needs no
// capability from Linux 5.19 on.
func CreateIterator(link int) (int, error) {
	attr := struct{ link, flags uint32 }{link: uint32(link)}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_ITER_CREATE,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, fmt.Errorf("bpf(BPF_ITER_CREATE): %w", errno)
	}
	return int(fd), nil
}
