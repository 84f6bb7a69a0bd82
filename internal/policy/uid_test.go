// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// uids gives each task of a process a user ID.
func (h host) uids(p *scan.Process, uids ...uint32) {
	p.UID = uids[0]
	for i := range h.TasksOf(p) {
		h.TasksOf(p)[i].UID = uids[i]
		p.UIDsDiffer = p.UIDsDiffer || uids[i] != p.UID
	}
}

// A rule about a user ID is about every process with a task that has it, and lets
// go only those with all tasks.
func TestUIDs(t *testing.T) {
	e := New(load(t, `
exempt: [{uid: [7, 8]}]
rules:
- {name: root, match: {uid: [0]}}
- {name: users, match: {uid: [1000-1999]}}
- {name: not-root, match: {unit: [a.service]}, except: [{uid: [0]}]}
- {name: not-system, match: {unit: [a.service]}, except: [{uid: [0-999]}]}
- {name: not-either, match: {unit: [a.service]}, except: [{uid: [0]}, {uid: [1-999]}]}
`), Options{})
	for _, c := range []struct {
		uids []uint32
		want string // root, users, not-root, not-system, not-either
	}{
		{[]uint32{0, 0}, "yes no no no no"},
		{[]uint32{1000, 1000}, "no yes yes yes yes"},
		{[]uint32{0, 1000}, "yes yes yes yes yes"},
		{[]uint32{1000, 0}, "yes yes yes yes yes"},
		{[]uint32{5000, 0}, "yes no yes yes yes"},
		{[]uint32{0, 5}, "yes no yes no yes"},
		{[]uint32{7, 7}, "no no no no no"},
		{[]uint32{7, 8}, "no no no no no"},
		{[]uint32{7, 0}, "yes no yes no yes"},
		{[]uint32{0, 7}, "yes no yes no yes"},
	} {
		h := newHost()
		p := h.process(h.unit("a.service"), "/a", -1, -1)
		h.uids(p, c.uids...)
		var got []string
		for _, x := range e.Explain(h.Snapshot, p) {
			got = append(got, x.Applies.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v: %v, want %s", c.uids, got, c.want)
		}
		// The cache of matches keeps them apart.
		r := e.Evaluate(h.Snapshot)
		for i, applies := range got {
			x := r.rule(e.config.Rules[i].Name)
			if (applies == "yes") != (x != nil && x.Processes != [NumResults]int{}) {
				t.Errorf("%v, rule %s: %+v, want %s", c.uids, e.config.Rules[i].Name, x, applies)
			}
		}
	}
}

// User IDs that are the same to all rules are kept as one: whatever a process does with
// its threads' IDs, the cache of matches has no more entries than rules make of it.
func TestUIDsAreKeptByRange(t *testing.T) {
	c := load(t, "rules: [{name: a, match: {uid: [0, 1000-1999]}, except: [{uid: [1500]}]}]")
	what := c.seenBy()
	if want := []uint32{0, 1, 1000, 1500, 1501, 2000}; !slices.Equal(what.uids, want) {
		t.Fatalf("%v, want %v", what.uids, want)
	}
	h := newHost()
	domains := make([]int32, 3000)
	for i := range domains {
		domains[i] = -1
	}
	p := h.process(h.unit("a.service"), "/a", domains...)
	tasks := h.TasksOf(p)
	for i := range tasks {
		tasks[i].UID = uint32(i)
	}
	p.UIDsDiffer = true
	f := factsOf(h.Snapshot, p, &what)
	if len(f.uids) != 4*len(what.uids) {
		t.Errorf("%d user IDs are kept", len(f.uids)/4)
	}
	for i := range tasks {
		tasks[i].UID = 2000 + uint32(i)
	}
	if f := factsOf(h.Snapshot, p, &what); f.uids != "" || f.uid != 2000 {
		t.Errorf("%+v", f)
	}
}

// Matching a process of one user takes no memory, and one of several what their
// IDs take.
func TestUIDsAllocateNothing(t *testing.T) {
	h := newHost()
	w := h.unit("a.service")
	one := h.process(w, "/a", -1, -1, -1)
	what := seen{given: [numKeys]bool{KeyUID: true}}
	var f facts
	if n := testing.AllocsPerRun(100, func() { f = factsOf(h.Snapshot, one, &what) }); n != 0 || f.uids != "" {
		t.Errorf("%v allocations, %q", n, f.uids)
	}
	h.uids(one, 3, 1, 3)
	f = factsOf(h.Snapshot, one, &what)
	same := factsOf(h.Snapshot, one, &what)
	if f != same || len(f.uids) != 8 {
		t.Errorf("%+v, %+v", f, same)
	}
	m := Match{UID: []UIDRange{{1, 1}, {2, 3}}}
	if n := testing.AllocsPerRun(100, func() { m.level(&f, allTasks, nil) }); n != 0 {
		t.Errorf("%v allocations for a match", n)
	}
}
