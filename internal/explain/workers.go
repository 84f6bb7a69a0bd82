// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// workers names the threads that the kernel made for the process and that act
// outside of its domains, or may.
func (t *textWriter) workers() {
	s, p := t.e.Snapshot, t.e.Process
	var outside, perhaps []int32
	for i := range s.WorkersOf(p) {
		w := &s.WorkersOf(p)[i]
		switch s.Outside(p, w) {
		case access.Yes:
			outside = append(outside, w.TID)
		case access.Unknown:
			perhaps = append(perhaps, w.TID)
		}
	}
	if n := len(outside); n > 0 {
		t.line("\n%s that the kernel made for it (%s) may act outside of its domains: what the "+
			"process could do before it entered them, it still can do by %s.",
			someWorkers(n), threadsText(outside), itOrThem(n))
	}
	if n := len(perhaps); n > 0 {
		t.line("\n%s that the kernel made for it (%s) may act outside of its domains, or not: "+
			"in which %s could not be told.",
			someWorkers(n), threadsText(perhaps), areWorkers(n))
	}
}

func someWorkers(n int) string {
	if n == 1 {
		return "A worker"
	}
	return plural.Count(n, "worker")
}

func itOrThem(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func areWorkers(n int) string {
	if n == 1 {
		return "it is"
	}
	return "they are"
}

// butWorkers is what stands behind "as far as Landlock goes" where workers may do
// more than threads.
func (t *textWriter) butWorkers() string {
	switch t.e.Snapshot.OutsideWorker(t.e.Process) {
	case access.Yes:
		return " and but for what its workers may do"
	case access.Unknown:
		return " and but for what its workers may do, which is not known"
	default:
		return ""
	}
}

// before writes what cannot be read from threads.
func (t *textWriter) before() {
	if len(t.e.Sandboxes) == 0 {
		return
	}
	t.line("\nWhat cannot be read, and may let it do more:")
	t.line("  - Credentials that it registered with an io_uring before the sandbox " +
		"(personalities) act as before.")
	t.line("  - What it had opened before the sandbox stays open, and lets do what it did.")
	t.line("  - What another process opened and passes to it lets do what it lets that process do.")
}

type workerJSON struct {
	TID     int32         `json:"tid"`
	Outside access.Answer `json:"outside"`
	Real    placeJSON     `json:"real"`
	Acting  placeJSON     `json:"acting"`
}

type placeJSON struct {
	State  scan.State  `json:"state"`
	Domain domainid.ID `json:"domain"`
}

func (e *Explanation) workersJSON() []workerJSON {
	s, p := e.Snapshot, e.Process
	workers := s.WorkersOf(p)
	all := make([]workerJSON, len(workers))
	for i := range workers {
		w := &workers[i]
		all[i] = workerJSON{w.TID, s.Outside(p, w), newPlaceJSON(s, w.Real),
			newPlaceJSON(s, w.Acting)}
	}
	return all
}

func newPlaceJSON(s *scan.Snapshot, at scan.Place) placeJSON {
	j := placeJSON{State: at.State}
	if at.Domain >= 0 {
		j.Domain = s.Domains[at.Domain].ID
	}
	return j
}
