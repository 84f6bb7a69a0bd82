// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// workers compares the threads that the kernel made for a process, no more and no
// fewer, and whether they may act outside of its domains.
func (c *comparison) workers(got *scan.Process, want *Process) {
	matchThreads(c, want.PID, "a worker", c.snap.WorkersOf(got), want.Workers,
		func(w *scan.Worker) int32 { return w.TID }, func(w *Worker) int32 { return w.TID },
		func(g *scan.Worker, w *Worker) { c.worker(got, g, want, w) })
	outside := access.No
	for i := range want.Workers {
		if want.outside(&want.Workers[i]) {
			outside = access.Yes
		}
	}
	if !c.cfg.NoActing {
		equal(c, want.PID, 0, "worker outside", c.snap.OutsideWorker(got), outside)
	}
}

func (c *comparison) worker(p *scan.Process, got *scan.Worker, of *Process, want *Worker) {
	pid := of.PID
	c.born(pid, want.TID, got.Start, want.BornFrom, want.BornTo)
	c.place(pid, want, "real", got.Real)
	if c.cfg.NoActing {
		return
	}
	c.place(pid, want, "acting", got.Acting)
	outside := access.No
	if of.outside(want) {
		outside = access.Yes
	}
	equal(c, pid, want.TID, "outside", c.snap.Outside(p, got), outside)
}

// place compares where a worker's credentials are.
func (c *comparison) place(pid int32, want *Worker, which string, got scan.Place) {
	equal(c, pid, want.TID, "state of its "+which+" credentials", got.State, stateIn(want.Layers))
	if !c.cfg.NoDomains {
		c.domains(pid, want.TID, got.Domain, want.Layers)
	}
}

// outside reports whether a worker may do what Landlock keeps every task of its
// process from: all are in a domain, and it is in none of these nor in one nested
// in them.
func (p *Process) outside(w *Worker) bool {
	for _, t := range p.Tasks {
		if n := len(t.Layers); n <= len(w.Layers) && slices.Equal(t.Layers, w.Layers[:n]) {
			return false
		}
	}
	return true
}
