// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strconv"
	"time"
)

const (
	timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
	// maxWait bounds the wait of every request, so that clients that name no
	// timeout, or a huge one, cannot hold the request slots for ever.
	maxWait = time.Minute
	// minTimeout is the least timeout that is believed. No Prometheus has a
	// shorter one, but a hostile client could make every scan seem to fail.
	minTimeout = 100 * time.Millisecond
	// safetyOffset is what is left of a scrape's timeout for gathering,
	// encoding and the network.
	safetyOffset = 500 * time.Millisecond
)

// waitFor returns how long a scrape may wait for its scan: the timeout that
// Prometheus announces, less the safety offset.
func waitFor(h http.Header) time.Duration {
	timeout := parseTimeout(h.Get(timeoutHeader))
	return timeout - min(safetyOffset, timeout/2)
}

// parseTimeout reads the header's value, seconds as a decimal number, into a
// duration from minTimeout to maxWait. An unusable one (nothing at all, no number,
// NaN, or none above 0) gives maxWait.
func parseTimeout(value string) time.Duration {
	seconds, err := strconv.ParseFloat(value, 64)
	// Compared as seconds: the conversion of a large number to a Duration overflows.
	if err != nil || !(seconds > 0) || seconds >= maxWait.Seconds() {
		return maxWait
	}
	return max(time.Duration(seconds*float64(time.Second)), minTimeout)
}
