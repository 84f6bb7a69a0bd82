// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
)

// Who has many threads, each in a domain of its own that denies something, costs a scan no more for
// each: one question about each takes as long as a few, and not a thousand times as long.
func TestManyThreadsWithDenials(t *testing.T) {
	const threads = 20_000
	h := newHost("w")
	outer := domainid.Outermost
	for i := range 15 {
		outer = h.domain(domainid.ID(1+i), outer)
	}
	domains := make([]int32, threads)
	for i := range domains {
		domains[i] = h.domain(domainid.ID(100+i), outer)
	}
	h.process(10, "w", domains...)
	update := func(denied int) time.Duration {
		w := newWorkloads(10, nil)
		for i := range denied {
			w.note(&Event{Domain: domainid.ID(100 + threads - 1 - i), PID: 10, Start: 100})
		}
		before := threadTime(t)
		w.update(h.Snapshot)
		took := threadTime(t) - before
		if n := w.totals["w"].n; n != uint64(denied) {
			t.Errorf("%d of %d denials", n, denied)
		}
		return took
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	one := update(1)
	many := update(maxSubjects)
	if t.Logf("%s for one, %s for %d", one, many, maxSubjects); many > 50*max(one, time.Millisecond) {
		t.Error("the time grows with threads and denials multiplied")
	}
}

// threadTime returns the processor time of this thread.
func threadTime(t *testing.T) time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
