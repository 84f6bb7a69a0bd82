// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"time"

	"github.com/landlockd/landlockd/scan"
)

// clock has the time, and the host's uptime, which fails where it is not known.
type clock struct {
	now    func() time.Time
	uptime func() (time.Duration, error)
}

func newClock() clock {
	c := clock{now: time.Now, uptime: scan.Uptime}
	// Read once: the serving stage may not read this later.
	if o, err := scan.ReadClockOffsets(); err == nil {
		c.uptime = o.Uptime
	}
	return c
}

// wall returns what gives the time of something by its nanoseconds since boot: now, if that is
// 0 or the uptime is not known.
func (c *clock) wall() func(sinceBoot uint64) time.Time {
	now := c.now()
	uptime, err := c.uptime()
	return func(sinceBoot uint64) time.Time {
		if err != nil || sinceBoot == 0 || sinceBoot > uint64(uptime) {
			return now
		}
		return now.Add(time.Duration(sinceBoot) - uptime)
	}
}
