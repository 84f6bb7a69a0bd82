// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// tasks compares the live threads of a process, no more and no fewer.
func (c *comparison) tasks(got *scan.Process, want *Process) {
	matchThreads(c, want.PID, "a live task", c.snap.TasksOf(got), want.Tasks,
		func(t *scan.Task) int32 { return t.TID }, func(t *Task) int32 { return t.TID },
		func(g *scan.Task, w *Task) { c.task(want.PID, g, w) })
}

// matchThreads compares threads of one kind of a process one by one, no more and no
// fewer: what was read is in order.
func matchThreads[G, W any](c *comparison, pid int32, kind string, got []G, want []W,
	gotTID func(*G) int32, wantTID func(*W) int32, compare func(*G, *W)) {
	seen := map[int32]*G{}
	for i := range got {
		tid := gotTID(&got[i])
		if i > 0 && gotTID(&got[i-1]) >= tid {
			c.add(pid, tid, "order", "not above the one before", "ascending by TID")
		}
		seen[tid] = &got[i]
	}
	for i := range want {
		tid := wantTID(&want[i])
		g := seen[tid]
		if g == nil {
			c.add(pid, tid, "presence", "none", kind)
			continue
		}
		delete(seen, tid)
		compare(g, &want[i])
	}
	for tid := range seen {
		c.add(pid, tid, "presence", kind, "none")
	}
}

// stateIn is that of a thread in the domains of some layers.
func stateIn(layers []uint32) scan.State {
	if len(layers) > 0 {
		return scan.Sandboxed
	}
	return scan.Unsandboxed
}

func (c *comparison) task(pid int32, got *scan.Task, want *Task) {
	equal(c, pid, want.TID, "state", got.State, stateIn(want.Layers))
	equal(c, pid, want.TID, "reason", got.Reason, scan.NoReason)
	c.born(pid, want.TID, got.Start, want.BornFrom, want.BornTo)
	if !c.cfg.NoDomains {
		c.domains(pid, want.TID, got.Domain, want.Layers)
	}
	equal(c, pid, want.TID, "UID", got.UID, want.UID)
	equal(c, pid, want.TID, "hardening", got.Hardening, want.hardening())
	c.taskRestricts(pid, got, want)
}

// domains compares a thread's chain of domains, from the innermost outwards, with
// its layers.
func (c *comparison) domains(pid, tid, at int32, layers []uint32) {
	for depth := len(layers); depth > 0; depth-- {
		layer := layers[depth-1]
		if at == domainid.Outermost {
			c.add(pid, tid, "lineage", fmt.Sprintf("no domain at depth %d", depth), fmt.Sprintf("that of layer %d", layer))
			return
		}
		c.same(pid, tid, at, layer)
		d := &c.snap.Domains[at]
		if !c.cfg.NoHandled {
			equal(c, pid, tid, fmt.Sprintf("handled rights at depth %d", depth), d.Handled, c.truth.Layers[layer-1])
		}
		if c.cfg.NoLineage {
			return
		}
		equal(c, pid, tid, fmt.Sprintf("depth of domain %s", d.ID), int(d.Depth), depth)
		equal(c, pid, tid, fmt.Sprintf("lineage of domain %s", d.ID), d.Lineage, domainid.LineageKnown)
		at = d.Parent
	}
	if at != domainid.Outermost {
		c.add(pid, tid, "lineage", fmt.Sprintf("domain %s outside of all others", c.snap.Domains[at].ID),
			fmt.Sprintf("a chain of %d", len(layers)))
	}
}

// same demands that a domain and a layer belong together wherever they occur.
func (c *comparison) same(pid, tid, domain int32, layer uint32) {
	id := c.snap.Domains[domain].ID
	if d, ok := c.domainOf[layer]; ok && d != domain {
		c.add(pid, tid, "domain", id, fmt.Sprintf("%s, as in other tasks of layer %d", c.snap.Domains[d].ID, layer))
	} else if !ok {
		c.domainOf[layer] = domain
	}
	if l, ok := c.layerOf[domain]; ok && l != layer {
		c.add(pid, tid, "domain", fmt.Sprintf("%s, that of layer %d", id, l), fmt.Sprintf("another for layer %d", layer))
	} else if !ok {
		c.layerOf[domain] = layer
	}
}
