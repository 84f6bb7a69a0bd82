// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"testing"
	"time"
)

func TestParseClockOffsets(t *testing.T) {
	for text, want := range map[string]ClockOffsets{
		"monotonic           0         0\nboottime       100000         0\n": {0, 100000 * time.Second},
		"monotonic -2 500000000\nboottime -1 1":                              {-1500 * time.Millisecond, -time.Second + 1},
		"1 3 0\n7 4 0\n":                                                     {3 * time.Second, 4 * time.Second},
		"monotonic 0 0\nboottime 0 0\nanother 5 5\n":                         {},
	} {
		if got, err := parseClockOffsets([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "monotonic 0 0\n", "boottime 0 0\n", "monotonic 0\nboottime 0 0\n", "monotonic 0 0\nboottime x 0\n",
		"monotonic 0 0\nboottime 0 -1\n", "monotonic 0 0\nboottime 0 1000000000\n", "monotonic 0 0\nboottime 99999999999 0\n",
	} {
		if got, err := parseClockOffsets([]byte(text)); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

// TestStatTicks: rounded down as the kernel does, behind the offset.
func TestStatTicks(t *testing.T) {
	for _, c := range []struct {
		start  uint64
		offset time.Duration
		want   uint64
	}{
		{25_000_000, 0, 2}, {25_000_000, 5 * time.Millisecond, 3}, {25_000_000, -10 * time.Millisecond, 1},
		{25_000_000, 100000 * time.Second, 10_000_002},
	} {
		if got := (ClockOffsets{Boottime: c.offset}).StatTicks(c.start); got != c.want {
			t.Errorf("%v: %d, want %d", c, got, c.want)
		}
	}
}
