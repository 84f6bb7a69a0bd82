// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// readSize is more than the 32 KiB that the kernel returns at once, so that
// every read ends at the end of a record.
const readSize = 64 << 10

// iterate runs the program behind a link over every task and hands its records to the
// sink, unless ctx ends. It is one bpf(2), one read(2) for every 32 KiB of records and
// one close(2), whatever the number of processes.
func iterate(ctx context.Context, link int, buf []byte, to sink) error {
	fd, err := createIterator(link)
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
		// EAGAIN: a million tasks were passed over without a record.
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		case err != nil:
			return fmt.Errorf("read from the task iterator: %w", err)
		case n == 0:
			return nil
		}
		if err := parse(buf[:n], to); err != nil {
			return fmt.Errorf("records of the task iterator: %w", err)
		}
	}
}

// createIterator calls the one command of bpf(2) that a running source uses: it needs no
// capability from Linux 5.19 on.
func createIterator(link int) (int, error) {
	attr := struct{ link, flags uint32 }{link: uint32(link)}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_ITER_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, fmt.Errorf("bpf(BPF_ITER_CREATE): %w", errno)
	}
	return int(fd), nil
}
