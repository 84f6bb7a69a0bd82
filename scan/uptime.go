// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Uptime returns the time since boot, with the time that the host was suspended
// (CLOCK_BOOTTIME): the clock of [Process.Start]. In a time namespace of its own
// the two differ.
func Uptime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, fmt.Errorf("clock_gettime(2): %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
