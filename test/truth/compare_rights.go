// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// taskRestricts compares what a task's layers restrict with what it was denied in
// its root directory.
func (c *comparison) taskRestricts(pid int32, got *scan.Task, want *Task) {
	if c.cfg.NoViews {
		return
	}
	var restricts access.Bounds // nothing, of a free task
	doubt := ""
	if got.State != scan.Unsandboxed {
		sandbox := c.meaning.Task(got.Domain, got.View, got.Depth, got.DepthExact)
		restricts, doubt = sandbox.Restricts, fmt.Sprint(sandbox.Doubt.Words())
	}
	c.denied(pid, want.TID, restricts, doubt, want.Tried, want.Denied)
}

// restricts compares what a process's sandbox restricts: what every task that is
// in a domain was denied.
func (c *comparison) restricts(got *scan.Process, want *Process) {
	sandbox, inside := c.snap.SandboxOf(got)
	if c.cfg.NoViews || !inside {
		return
	}
	tried, denied := ^uint32(0), ^uint32(0)
	for _, t := range want.Tasks {
		if len(t.Layers) > 0 {
			tried &= t.Tried
			denied &= t.Denied
		}
	}
	c.denied(want.PID, 0, sandbox.Restricts, fmt.Sprint(sandbox.Doubt.Words()), tried, denied)
}

func (c *comparison) denied(pid, tid int32, got access.Bounds, doubt string, tried, denied uint32) {
	for _, right := range access.Of(access.FS.Rights(tried)) {
		want := access.No
		if right.In(access.FS.Rights(denied)) {
			want = access.Yes
		}
		if answer := got.Of(right); answer != want {
			text := answer.String()
			if answer == access.Unknown {
				text += " " + doubt
			}
			c.add(pid, tid, "restricts "+right.String(), text, want)
		}
	}
}
