// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"time"

	"github.com/landlockd/landlockd/scan"
)

// lasting is what an evaluation came to, and for how long a snapshot that shows the same comes to
// the same.
type lasting struct {
	of     scan.Identity
	result *Evaluation // nil if there is none
	// since and until are the times since boot from which and before which no process, nor the
	// host, is beyond a grace that it was within; until is 0 if there is no bound.
	since, until time.Duration
	// asked: command lines decided, which are not in a snapshot.
	asked bool
}

// lasts reports whether what the last snapshot came to is what this one does: it shows the same,
// nobody has outgrown a grace, and the same waivers are in force.
func (e *Evaluator) lasts(s *scan.Snapshot) bool {
	l := &e.last
	return l.result != nil && l.of.Is(s) && e.sameWaivers(s.Time) &&
		s.Uptime >= l.since && (l.until == 0 || s.Uptime < l.until)
}

// grows takes note of a process that is within so many graces.
func (e *Evaluator) grows(p *scan.Process, within int) {
	if within > 0 {
		e.bound(time.Duration(p.Start) + e.graces[len(e.graces)-within])
	}
}

func (e *Evaluator) bound(until time.Duration) {
	if l := &e.last; l.until == 0 || until < l.until {
		l.until = until
	}
}

// keep keeps the result of the snapshot, if it may be that of a later one.
func (e *Evaluator) keep(r *Evaluation) {
	// Without a time since boot, ages are guessed.
	if e.last.asked || e.snap.Uptime <= 0 {
		return
	}
	for _, grace := range e.graces {
		if e.snap.Uptime < grace { // as rules that need processes look at the host's age
			e.bound(grace)
			break
		}
	}
	e.last.of, e.last.since, e.last.result = e.snap.Identity(), e.snap.Uptime, r
}
