// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock turns times of this process into those of the programs' clock
// (CLOCK_MONOTONIC), without a system call for each.
type clock struct {
	began time.Time
	ns    uint64 // what the programs' clock said then, or earlier
}

// newClock reads the clock. The zero clock, where that fails, has all deadlines in
// the past: only what is urgent is read then.
func newClock() clock {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return clock{}
	}
	return clock{time.Now(), uint64(now.Nano())}
}

func (c clock) at(t time.Time) uint64 {
	if c.began.IsZero() {
		return 1 // 0 stands for none
	}
	return c.ns + uint64(t.Sub(c.began))
}
