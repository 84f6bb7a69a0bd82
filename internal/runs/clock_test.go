// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"errors"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	now := time.Unix(1e9, 0)
	c := clock{now: func() time.Time { return now }, uptime: func() (time.Duration, error) { return time.Minute, nil }}
	for since, want := range map[uint64]time.Time{0: now, 60e9: now, 59e9: now.Add(-time.Second), 61e9: now, 1 << 63: now} {
		if got := c.wall()(since); !got.Equal(want) {
			t.Errorf("%d: %v, want %v", since, got, want)
		}
	}
	c.uptime = func() (time.Duration, error) { return 0, errors.New("no") }
	if got := c.wall()(5); !got.Equal(now) {
		t.Errorf("%v where the uptime is not known", got)
	}
	c = newClock()
	if got, err := c.uptime(); err != nil || got <= 0 {
		t.Errorf("up for %v, %v", got, err)
	}
}
