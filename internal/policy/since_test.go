// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
)

// Since when a rule is violated follows from what violates it, so that it is the same after a
// restart; only of too few processes it is the time of a scan.
func TestSince(t *testing.T) {
	const rules = `rules:
  - {name: old, match: {unit: [a.service]}}
  - {name: few, match: {unit: [b.service]}, min_processes: 2, grace: 0s}
  - {name: kept, match: {unit: [c.service]}}
`
	at := func(h host, seconds int) host {
		h.Uptime = time.Duration(seconds) * time.Second
		return h
	}
	// One that complies is older than those that violate the rule, as is one that is not known.
	made := func(seconds, others int) host {
		h := at(newHost(), seconds)
		in := h.domain(-1, access.Supported(6))
		a, b, c := h.unit("a.service"), h.unit("b.service"), h.unit("c.service")
		h.process(a, "/bin/a", in).Start = 100 * second
		h.process(a, "/bin/a", -2).Start = 150 * second
		h.process(a, "/bin/a", -1).Start = 300 * second
		h.process(a, "/bin/other", -1, in).Start = 200 * second
		h.process(c, "/bin/c", in)
		for range others {
			h.process(b, "/bin/b", in).Start = 400 * second
		}
		return h
	}
	e := New(load(t, rules), Options{})
	check := func(e *Evaluator, h host, old, few int) {
		t.Helper()
		r := e.Evaluate(h.Snapshot)
		for name, want := range map[string]int{"old": old, "few": few, "kept": 0} {
			if got := r.rule(name); got.Since != uint64(want)*second || got.Violated != (want > 0) {
				t.Errorf("after %s: %s is violated (%t) since %d, want %d s", h.Uptime, name, got.Violated, got.Since, want)
			}
		}
	}
	check(e, made(1000, 1), 200, 1000)
	check(e, made(1010, 1), 200, 1000)
	check(e, made(1020, 2), 200, 0)
	check(e, made(1030, 0), 200, 1030)
	// Another one, as after a restart.
	check(New(load(t, rules), Options{}), made(1040, 1), 200, 1040)
	// The one that violated it for longest is gone.
	h := made(1050, 2)
	h.Processes = append(h.Processes[:3], h.Processes[4:]...)
	check(e, h, 300, 0)
	// One violates it, and later there are too few.
	h = made(1060, 0)
	h.process(1, "/bin/b", -1).Start = 500 * second
	check(e, h, 200, 500)
}
