// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Config says what [Compare] leaves out because a source cannot know it. The
// zero value compares everything.
type Config struct {
	// NoDomains: neither domains nor anything about them.
	NoDomains bool
	// NoLineage: neither nesting nor exact depths.
	NoLineage bool
	// NoHandled: no handled rights.
	NoHandled bool
	// NoViews: no rights that a task's layers restrict.
	NoViews bool
	// NoActing: not the credentials that workers act with.
	NoActing bool
	// StartUnit is what the source rounds start times down to; 0 is a nanosecond.
	StartUnit time.Duration
}

// Mismatch is one point in which a snapshot is not true.
type Mismatch struct {
	// PID and TID are 0 where the whole snapshot is meant.
	PID, TID int32
	// Field names what is wrong, for example "depth".
	Field string
	// Got and Want are texts.
	Got, Want string
}

func (m Mismatch) String() string {
	where := "snapshot"
	switch {
	case m.TID != 0:
		where = fmt.Sprintf("task %d of process %d", m.TID, m.PID)
	case m.PID != 0:
		where = fmt.Sprintf("process %d", m.PID)
	}
	return fmt.Sprintf("%s: %s is %s, want %s", where, m.Field, m.Got, m.Want)
}

// Compare returns every point in which a snapshot contradicts a truth that
// stood still during the scan. It is a pure function.
//
// Depths are compared as they are: the forest must have been started by a
// process that is in no domain itself.
func Compare(snap *scan.Snapshot, truth *Truth, cfg Config) []Mismatch {
	c := &comparison{
		snap: snap, truth: truth, cfg: cfg, meaning: snap.Meaning(),
		domainOf: map[uint32]int32{}, layerOf: map[int32]uint32{},
	}
	c.wellFormed()
	if len(c.found) > 0 {
		return c.found // indices cannot be trusted
	}
	for i := range truth.Processes {
		c.process(&truth.Processes[i])
	}
	for _, pid := range truth.Gone {
		if p := snap.Find(pid); p != nil {
			c.add(pid, 0, "presence", "a process with "+count(int(p.NumTasks), "task"), "none: it has ended")
		}
	}
	return c.found
}

type comparison struct {
	snap  *scan.Snapshot
	truth *Truth
	cfg   Config
	found []Mismatch
	// meaning is what the snapshot's domains come to.
	meaning *domainid.Meaning
	// Which domain is which layer: one to one, in both directions.
	domainOf map[uint32]int32
	layerOf  map[int32]uint32
}

func (c *comparison) add(pid, tid int32, field string, got, want any) {
	c.found = append(c.found, Mismatch{pid, tid, field, fmt.Sprint(got), fmt.Sprint(want)})
}

// equal compares one fact of a process.
func equal[T comparable](c *comparison, pid, tid int32, field string, got, want T) {
	if got != want {
		if s, ok := any(want).(string); ok {
			c.add(pid, tid, field, fmt.Sprintf("%q", any(got)), fmt.Sprintf("%q", s))
			return
		}
		c.add(pid, tid, field, got, want)
	}
}

// wellFormed checks what every snapshot promises, whatever it is of.
func (c *comparison) wellFormed() {
	s := c.snap
	tasks, workers := int32(0), int32(0)
	for i := range s.Processes {
		p := &s.Processes[i]
		if i > 0 && s.Processes[i-1].PID >= p.PID {
			c.add(p.PID, 0, "order", "not above the one before", "ascending by PID")
		}
		if p.FirstTask != tasks || p.NumTasks < 0 || int(p.FirstTask+p.NumTasks) > len(s.Tasks) {
			c.add(p.PID, 0, "tasks", fmt.Sprintf("[%d, +%d]", p.FirstTask, p.NumTasks), "right behind those of the process before")
			return
		}
		tasks += p.NumTasks
		if p.FirstWorker != workers && p.NumWorkers != 0 || p.NumWorkers < 0 ||
			int(workers+p.NumWorkers) > len(s.Workers) {
			c.add(p.PID, 0, "workers", fmt.Sprintf("[%d, +%d]", p.FirstWorker, p.NumWorkers),
				"right behind those of the process before")
			return
		}
		workers += p.NumWorkers
	}
	ids := map[domainid.ID]bool{}
	for i := range s.Domains {
		d := &s.Domains[i]
		if d.ID == domainid.None || ids[d.ID] {
			c.add(0, 0, fmt.Sprintf("ID of domain %d", i), d.ID, "one of its own")
		}
		ids[d.ID] = true
		if d.Parent < domainid.Outermost || int(d.Parent) >= i {
			c.add(0, 0, fmt.Sprintf("parent of domain %d", i), d.Parent, "a domain before it")
		}
	}
	within := func(tid, domain int32) {
		if domain < domainid.Outermost || int(domain) >= len(s.Domains) {
			c.add(0, tid, "domain", domain, fmt.Sprintf("below %d", len(s.Domains)))
		}
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		within(t.TID, t.Domain)
		if t.View < domainid.NoView || int(t.View) >= len(s.Views) ||
			t.View != domainid.NoView && s.Views[t.View].Domain != t.Domain {
			c.add(0, t.TID, "view", t.View, fmt.Sprintf("one of domain %d", t.Domain))
		}
	}
	for i := range s.Workers {
		within(s.Workers[i].TID, s.Workers[i].Real.Domain)
		within(s.Workers[i].TID, s.Workers[i].Acting.Domain)
	}
}

func (c *comparison) process(want *Process) {
	got := c.snap.Find(want.PID)
	if got == nil {
		c.add(want.PID, 0, "presence", "none", "a process with "+count(len(want.Tasks), "task"))
		return
	}
	c.tasks(got, want)
	c.workers(got, want)
	c.state(got, want)
	c.restricts(got, want)
	c.identity(got, want)
}

// state compares the process's state and depths with those of its live tasks.
func (c *comparison) state(got *scan.Process, want *Process) {
	sandboxed, low, high := 0, 1<<16, 0
	for _, t := range want.Tasks {
		if len(t.Layers) > 0 {
			sandboxed++
		}
		low, high = min(low, len(t.Layers)), max(high, len(t.Layers))
	}
	state := scan.Partial
	switch sandboxed {
	case 0:
		state = scan.Unsandboxed
	case len(want.Tasks):
		state = scan.Sandboxed
	}
	equal(c, want.PID, 0, "state", got.State, state)
	equal(c, want.PID, 0, "reason", got.Reason, scan.NoReason)
	if c.cfg.NoLineage || c.cfg.NoDomains {
		return
	}
	if state != scan.Sandboxed {
		low = 0
	}
	equal(c, want.PID, 0, "depth", int(got.Depth), low)
	equal(c, want.PID, 0, "max depth", int(got.MaxDepth), high)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
