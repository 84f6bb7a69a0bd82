// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Uptime returns the time since the host's boot, with the time that it was suspended:
// the clock of [Process.Start], in whatever time namespace this process is. It fails if
// that is not known.
func Uptime() (time.Duration, error) {
	o, err := ReadClockOffsets()
	if err != nil {
		return 0, fmt.Errorf("the host's uptime: %w", err)
	}
	return o.Uptime()
}

// Uptime is the same by offsets that were read before.
func (o ClockOffsets) Uptime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, fmt.Errorf("clock_gettime(2): %w", err)
	}
	return time.Duration(ts.Nano()) - o.Boottime, nil
}
