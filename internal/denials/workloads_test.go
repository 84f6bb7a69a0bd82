// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// host is a snapshot in the making.
type host struct{ *scan.Snapshot }

func newHost(names ...string) host {
	slices.Sort(names)
	h := host{&scan.Snapshot{Time: time.Now().Add(time.Second), Source: scan.SourceInfo{Denials: scan.DenialsCounters}, Kernel: scan.Kernel{Landlock: scan.Enabled, ABI: 7}}}
	for _, n := range names {
		h.Workloads = append(h.Workloads, scan.Workload{Name: n})
	}
	return h
}

// domain adds one, nested in another or in none, and returns its index.
func (h host) domain(id domainid.ID, parent int32) int32 {
	h.Domains = append(h.Domains, domainid.Domain{ID: id, Parent: parent})
	return int32(len(h.Domains) - 1)
}

// process adds one that was started at ten times its PID, with a task in each domain.
func (h host) process(pid int32, name string, domains ...int32) {
	w := slices.IndexFunc(h.Workloads, func(w scan.Workload) bool { return w.Name == name })
	h.Processes = append(h.Processes, scan.Process{
		PID: pid, Start: uint64(pid) * 10, Workload: int32(w), FirstTask: int32(len(h.Tasks)), NumTasks: int32(len(domains)), State: scan.Sandboxed,
	})
	for _, d := range domains {
		h.Tasks = append(h.Tasks, scan.Task{TID: pid, Domain: d, State: scan.Sandboxed})
	}
}

func totals(w *workloads) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(w.totals)) {
		all = append(all, fmt.Sprintf("%s=%d", name, w.totals[name].n))
	}
	return strings.Join(all, " ")
}

func who(pid int32, start uint64) func(*Event) {
	return func(e *Event) { e.PID, e.Start = pid, start }
}

func TestWorkloads(t *testing.T) {
	h := newHost("a", "b", "c")
	outer := h.domain(100, domainid.Outermost)
	inner := h.domain(101, outer)
	alone := h.domain(102, domainid.Outermost)
	h.domain(103, domainid.Outermost) // nobody's
	h.process(5, "a", outer)
	h.process(6, "b", inner)
	h.process(7, "c", domainid.Outermost, alone)
	for _, c := range []struct {
		name string
		e    *Event
		want string
	}{
		{"the process is told", denied(100, 0, who(5, 50)), "a=1"},
		{"its own domain is nested in the one that denied", denied(100, 0, who(6, 60)), "b=1"},
		{"the PID alone is told", denied(100, 0, who(6, 0)), "b=1"},
		{"a new process has its PID", denied(102, 0, who(6, 0)), "c=1"},
		{"it is gone, and one workload has its domain", denied(101, 0, who(77, 1)), "b=1"},
		{"the PID is another's by now", denied(102, 0, who(6, 61)), "c=1"},
		{"nobody is told, and one workload has the domain", denied(102, 0, who(0, 0)), "c=1"},
		{"nobody is told, and two workloads have the domain", denied(100, 0, who(0, 0)), UnknownWorkload + "=1"},
		{"the domain is gone", denied(999, 0, who(5, 50)), UnknownWorkload + "=1"},
		{"nobody is in the domain", denied(103, 0, who(5, 50)), UnknownWorkload + "=1"},
		{"another task ran when it was denied", denied(102, 0, who(5, 50)), "c=1"},
	} {
		w := newWorkloads(10, nil)
		w.note(c.e)
		w.update(h.Snapshot)
		if got := totals(w); got != c.want || len(w.waiting) != 0 {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// What is gone by the next scan is found by the one before, and what came since
// the scan began waits.
func TestWorkloadsOfTwoScans(t *testing.T) {
	with := newHost("a")
	with.process(5, "a", with.domain(100, domainid.Outermost))
	without := newHost("a")
	without.Time = time.Now().Add(-time.Hour)
	w := newWorkloads(10, nil)
	w.update(with.Snapshot)
	w.note(denied(100, 0, who(5, 50)))
	w.note(denied(200, 0, who(9, 90)))
	w.update(without.Snapshot)
	if got := totals(w); got != "a=1" || len(w.waiting) != 1 {
		t.Errorf("%s, %d wait", got, len(w.waiting))
	}
	late := newHost("b")
	late.process(9, "b", late.domain(200, domainid.Outermost))
	w.update(late.Snapshot)
	if got := totals(w); got != "a=1 b=1" || len(w.waiting) != 0 {
		t.Errorf("%s, %d wait", got, len(w.waiting))
	}
	// Without workloads nothing piles up.
	w.note(denied(200, 0, who(9, 90)))
	w.update(newHost().Snapshot)
	if got := totals(w); got != "a=1 b=1" || len(w.waiting) != 0 {
		t.Errorf("%s, %d wait", got, len(w.waiting))
	}
}

func TestWorkloadsAreBounded(t *testing.T) {
	w := newWorkloads(3, nil)
	for i := range 2 * maxSubjects {
		w.note(denied(domainid.ID(i+1), 0))
	}
	if got := totals(w); len(w.waiting) != maxSubjects || got != fmt.Sprintf("%s=%d", UnknownWorkload, maxSubjects) {
		t.Errorf("%d wait; %s", len(w.waiting), got)
	}
	if n := testing.AllocsPerRun(100, func() { w.note(denied(1, 0)) }); n > 1 { // the event itself
		t.Errorf("%v allocations for a denial of a subject that waits", n)
	}
}

// The processes of a snapshot live no longer than the others who look at it need them.
func TestSnapshotIsNotKept(t *testing.T) {
	w := newWorkloads(10, nil)
	processes := func() weak.Pointer[scan.Process] {
		h := newHost("a")
		h.process(5, "a", h.domain(100, domainid.Outermost))
		w.update(h.Snapshot)
		return weak.Make(&h.Processes[0])
	}()
	runtime.GC()
	if processes.Value() != nil {
		t.Error("they are kept")
	}
	runtime.KeepAlive(w)
}
