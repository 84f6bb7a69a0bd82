// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/netns"
)

// checkClock sets the clock while landlockd serves: at once, and later, each scrape has what
// is true now, and the time of it. No host lets a test do so.
func checkClock(t *T) {
	t.Must(netns.LoopbackUp())
	startSleepers(t, 3, 1)
	d := startDaemon(t)
	d.scrape(t)
	const year = 365 * 24 * time.Hour
	var set time.Duration
	t.Cleanup(func() { moveClock(t, -set) })
	for _, by := range []time.Duration{year, -2 * year, 30 * year, -29 * year} {
		moveClock(t, by)
		set += by
		for _, wait := range []time.Duration{0, 1100 * time.Millisecond} { // --scan.min-interval
			time.Sleep(wait)
			before := time.Now()
			text := d.scrape(t)
			success, _ := value(text, "landlockd_scan_success")
			deep, _ := value(text, `landlock_processes_by_depth{depth="3"}`)
			at, _ := value(text, "landlockd_last_scan_timestamp_seconds")
			// A scan that was under way when the clock was set may have begun before.
			if oldest, newest := before.Add(-time.Minute).Unix(), time.Now().Add(time.Second).Unix(); success != 1 || deep < 1 ||
				at < float64(oldest) || at > float64(newest) {
				t.Errorf("moved by %s: success %v, %v at depth 3, scanned at %v, which is not in %d to %d", by, success, deep, at, oldest, newest)
			}
		}
	}
	d.stop(t)
	t.Fact("clock", fmt.Sprintf("moved four times, %s at the end", set))
}

func moveClock(t *T, by time.Duration) {
	now := unix.NsecToTimeval(time.Now().Add(by).UnixNano())
	t.Must(unix.Settimeofday(&now))
}
