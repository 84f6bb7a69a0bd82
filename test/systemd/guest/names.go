// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// counts are the processes of a workload by state.
type counts struct{ sandboxed, partial, unsandboxed int }

func (c counts) state() string {
	switch {
	case c.partial > 0 || c.sandboxed > 0 && c.unsandboxed > 0:
		return "partial"
	case c.sandboxed > 0:
		return "sandboxed"
	default:
		return "unsandboxed"
	}
}

// workloads are all of the guest once checkServices and landlockd are there.
var workloads = map[string]counts{
	// The system's own.
	"init.scope":               {0, 0, 1},
	"systemd-journald.service": {0, 0, 1},
	"systemd-logind.service":   {0, 0, 1},
	"dbus.service":             {0, 0, 1},
	"checks.service":           {0, 0, 1},
	"landlockd.service":        {1, 0, 0},
	"user@/init.scope":         {0, 0, 4},

	"t-plain.service":   {1, 0, 0},
	"t-bare.service":    {0, 0, 1},
	"t-inst@.service":   {1, 0, 1},
	"t-slice.service":   {1, 0, 0},
	"t-shallow.service": {1, 0, 0},
	"t-deep.service":    {1, 0, 0},
	"t-weak.service":    {1, 0, 0},
	"t-victim.service":  {1, 0, 0},
	"t-guarded.service": {1, 0, 0},
	"t-partial.service": {0, 1, 0},
	"t-fork.service":    {1, 0, 1},
	"t-hard.service":    {1, 0, 0},
	"t-private.service": {1, 0, 0},
	"t-deleg.service":   {3, 0, 0},
	"t-exempt.service":  {0, 0, 1},

	// Two services and a scope by systemd-run.
	"run": {1, 0, 2},
	// su and what it runs.
	"session.scope":            {1, 0, 1},
	"user@/t-user.service":     {1, 0, 0},
	"user@/app-t-editor.scope": {0, 0, 2},
	"container:docked":         {1, 0, 0},
	"container:podded":         {0, 0, 1},
	"prod/web":                 {1, 0, 0},
}

// workloadPage returns the series of landlock_workload_processes and
// landlock_workloads.
func workloadPage(all map[string]counts) page {
	p := make(page)
	for _, state := range []string{"sandboxed", "partial", "unsandboxed", "unknown"} {
		p[fmt.Sprintf("landlock_workloads{state=%q}", state)] = 0
	}
	for name, c := range all {
		p[fmt.Sprintf("landlock_workloads{state=%q}", c.state())]++
		p[fmt.Sprintf("landlock_workload_processes{state=%q,workload=%q}", "sandboxed", name)] = float64(c.sandboxed)
		p[fmt.Sprintf("landlock_workload_processes{state=%q,workload=%q}", "unsandboxed", name)] = float64(c.unsandboxed)
		if c.partial > 0 {
			p[fmt.Sprintf("landlock_workload_processes{state=%q,workload=%q}", "partial", name)] = float64(c.partial)
		}
	}
	return p
}

// checkNames starts landlockd and compares every workload that it exports with
// what runs. It keeps running.
func (h *host) checkNames(t *T) {
	h.startDaemon(t, mainRules)
	compareWorkloads(t, h.scrape(t), workloads)
}

func compareWorkloads(t *T, p page, want map[string]counts) {
	got := p.With("landlock_workload_processes{")
	for s, v := range p.With("landlock_workloads{") {
		got[s] = v
	}
	if d := got.Diff(workloadPage(want)); d != "" {
		t.Errorf("workloads:\n%s", d)
	}
}
