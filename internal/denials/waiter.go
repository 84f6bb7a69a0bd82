// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Pause is how long a feed waits for more after what it read: scrapes need the CPU, too,
// and in a flood many are read at once then.
const Pause = 2 * time.Millisecond

// Waiter waits for denials until it is closed.
type Waiter struct{ end *os.File } // an eventfd

// NewWaiter makes one.
func NewWaiter() (*Waiter, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd(2): %w", err)
	}
	return &Waiter{os.NewFile(uintptr(fd), "denials-end")}, nil
}

// Close ends all waiting, and waits for nothing itself.
func (w *Waiter) Close() error {
	_, err := w.end.Write(binary.NativeEndian.AppendUint64(nil, 1))
	return err
}

// Wait waits until a descriptor can be read, or for a time if that is not negative, and
// reports whether the time has passed, and whether the waiter is closed.
func (w *Waiter) Wait(fd int, most time.Duration) (late, closed bool) {
	timeout := -1
	if most >= 0 {
		timeout = int(most.Milliseconds())
	}
	poll := [...]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(w.end.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(poll[:], timeout)
	return err == nil && n == 0, poll[1].Revents != 0
}
