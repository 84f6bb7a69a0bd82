// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// clock turns times of this process into those of the programs' clock
// (the host's CLOCK_MONOTONIC), without a system call for each.
type clock struct {
	began time.Time
	ns    uint64 // what the programs' clock showed then, or earlier
	host  scan.ClockOffsets
}

// newClock reads the clock. The zero clock, where that fails, has all deadlines in
// the past: only what is urgent is read then.
func newClock() clock {
	o, err := scan.ReadClockOffsets()
	var now unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return clock{}
	}
	return clock{time.Now(), uint64(now.Nano() - int64(o.Monotonic)), o}
}

// uptime returns the time since the host's boot, 0 if that is not known.
func (c clock) uptime() time.Duration {
	if c.began.IsZero() {
		return 0
	}
	uptime, _ := c.host.Uptime()
	return uptime
}

func (c clock) at(t time.Time) uint64 {
	if c.began.IsZero() {
		return 1 // 0 stands for none
	}
	return c.ns + uint64(t.Sub(c.began))
}
