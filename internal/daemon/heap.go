// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/landlockd/landlockd/scan"
)

// tightGrowth is by how many percent the heap may grow between two collections beside many
// tasks. What lives is one snapshot and what it was made of, and each scan makes the next: Go's
// own 100 keeps memory for two and a half of them, this for little more than one. At 10 000
// processes that is 7 MB less, and the time of collections is hardly any part of a scan's.
// Beside few tasks it is, and memory is not scarce: there it is Go's own.
const tightGrowth = 15

// many is how many tasks and domains are so many; they are few again below half of it.
const many = 4096

// startHeap is how many bytes the privileged stage may have in use before it collects garbage.
// All that it allocates is less, and gone with execve(2).
const startHeap = 48 << 20

// collectLate has no garbage collected before there is much, until end is called. GOGC and
// GOMEMLIMIT, if they are set, have the last word.
func collectLate() (end func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(startHeap)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

// thrifty is a source whose memory goes back to the system behind the start, and after a
// burst: a scrape now and then allocates too little for the runtime to collect what a
// thousand times as many tasks and domains took.
type thrifty struct {
	scan.Source
	peak, small int
	scans       int
	tight       bool
	last        scan.Identity
	alike       int // scans in a row that came to the same
}

// burst is the least number of tasks and domains that is worth a collection.
const burst = 8192

// What the start took goes back in this scan: by then the first scrape has its answer.
const afterStart = 3

// Beside many tasks memory goes back each so many scans, a quarter of an hour at the usual
// interval: the heap is in pieces by then, and the kernel maps pages of the program that nobody
// looks at around those that somebody does. It takes 3 to 8 ms, beside few as much as six scrapes:
// so there it is an hour.
const (
	nowAndThen = 64
	seldom     = 4 * nowAndThen
)

// After so many small scans in a row memory goes back. The source itself gives back
// in the scan behind a small one; once was not enough in one run of six.
const firstFree, lastFree = 3, 10

// Scan implements [scan.Source].
func (s *thrifty) Scan(ctx context.Context) (*scan.Snapshot, error) {
	snap, err := s.Source.Scan(ctx)
	if err != nil {
		return nil, err
	}
	n := len(snap.Tasks) + len(snap.Domains)
	s.tighten(n)
	s.rest(n, snap)
	if s.isDue(n) {
		giveBack()
	}
	return snap, nil
}

// isDue reports whether memory goes back behind a scan of so many tasks and domains.
func (s *thrifty) isDue(n int) bool {
	s.peak = max(s.peak, n)
	s.small++
	if s.peak < burst || n > s.peak/4 {
		s.small = 0
	}
	s.scans++
	due := s.scans == afterStart || s.small == firstFree || s.small == lastFree ||
		n >= many && s.scans%nowAndThen == 0 || s.scans%seldom == 0
	if s.small == lastFree {
		s.peak, s.small = n, 0
	}
	return due
}

// What was concluded anew may have left garbage, and scans that come to the same leave none: the
// next collection would be far away. So there is one beside many tasks, after so many of them: by
// then a source has given up what only a change needs.
const restAfter = 5

// rest gives memory back as soon as nothing changes any more.
func (s *thrifty) rest(n int, snap *scan.Snapshot) {
	if !s.last.Is(snap) {
		s.last, s.alike = snap.Identity(), 0
		return
	}
	if s.alike = min(s.alike+1, restAfter+1); s.alike == restAfter && n >= many {
		debug.FreeOSMemory()
	}
}

// tighten has the heap grow by less beside many tasks and domains. GOGC, if it is set, has the
// last word.
func (s *thrifty) tighten(n int) {
	if tight := n >= many || s.tight && n >= many/2; tight != s.tight && os.Getenv("GOGC") == "" {
		s.tight = tight
		percent := 100
		if tight {
			percent = tightGrowth
		}
		debug.SetGCPercent(percent)
	}
}
