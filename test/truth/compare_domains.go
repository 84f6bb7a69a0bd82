// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// tasks compares the live threads of a process, no more and no fewer.
func (c *comparison) tasks(got *scan.Process, want *Process) {
	seen := map[int32]*scan.Task{}
	tasks := c.snap.TasksOf(got)
	for i := range tasks {
		t := &tasks[i]
		if i > 0 && tasks[i-1].TID >= t.TID {
			c.add(want.PID, t.TID, "order", "not above the one before", "ascending by TID")
		}
		seen[t.TID] = t
	}
	for i := range want.Tasks {
		w := &want.Tasks[i]
		g := seen[w.TID]
		if g == nil {
			c.add(want.PID, w.TID, "presence", "none", "a live task")
			continue
		}
		delete(seen, w.TID)
		c.task(want.PID, g, w)
	}
	for tid := range seen {
		c.add(want.PID, tid, "presence", "a live task", "none")
	}
}

func (c *comparison) task(pid int32, got *scan.Task, want *Task) {
	state := scan.Unsandboxed
	if len(want.Layers) > 0 {
		state = scan.Sandboxed
	}
	equal(c, pid, want.TID, "state", got.State, state)
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
