// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/recorded"
)

// workers names the threads that the kernel made for the process and that act
// outside of its domains, or may.
func (t *textWriter) workers() {
	outside, perhaps := facts.OutsideWorkers(t.e.Snapshot, t.e.Process)
	t.workersThat(outside, "%s may act outside of its domains: what the process could do before "+
		"it entered them, it still can do by %s.", "it", "them")
	t.workersThat(perhaps, "%s may act outside of its domains, or not: it is not known in which %s.",
		"it is", "they are")
}

// workersThat writes something of workers, if there are any, with a word for one and one
// for several.
func (t *textWriter) workersThat(tids []int32, format, it, they string) {
	who := "A worker"
	switch n := len(tids); {
	case n == 0:
		return
	case n > 1:
		who, it = plural.Count(n, "worker"), they
	}
	who += " that the kernel made for it (" + threadsText(tids) + ")"
	t.line("\n"+format, who, it)
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
	Real    any           `json:"real"`
	Acting  any           `json:"acting"`
}

func (e *Explanation) workersJSON() []workerJSON {
	s, p := e.Snapshot, e.Process
	all := make([]workerJSON, 0, len(s.WorkersOf(p)))
	for _, w := range s.WorkersOf(p) {
		all = append(all, workerJSON{w.TID, s.Outside(p, &w), recorded.Place(s, w.Real),
			recorded.Place(s, w.Acting)})
	}
	return all
}
