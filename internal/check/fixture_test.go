// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// host is a snapshot that is built by hand.
type host struct{ scan.Snapshot }

func newHost() *host {
	return &host{scan.Snapshot{
		Time: time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC), Uptime: time.Hour,
		Kernel:  scan.Kernel{Release: "6.12.9", Landlock: scan.Enabled, ABI: 6, Rights: access.Exactly(access.Supported(6))},
		Source:  scan.SourceInfo{Name: "taskiter", IDs: "kernel", Lineage: "known", Rules: "unread", Denials: "counters", Runs: "none", PIDNS: "init"},
		Domains: []domainid.Domain{{ID: 0xabc, Parent: -1, Depth: 1, Lineage: domainid.LineageKnown, Handled: access.Rights{access.FS: 0xffff}}},
	}}
}

// process adds a process of a unit, begun some minutes after boot.
func (h *host) process(pid int32, unit, comm, exe string, minute int, state scan.State) *scan.Process {
	p := scan.Process{
		PID: pid, PPID: 1, Start: uint64(minute) * uint64(time.Minute), Exe: exe, State: state, ExeOrigin: scan.OfHost,
		FirstTask: int32(len(h.Tasks)), NumTasks: 1, Workload: int32(len(h.Workloads)),
	}
	copy(p.Comm[:15], comm)
	task := scan.Task{TID: pid, Start: p.Start, Domain: domainid.Outermost, View: domainid.NoView, State: state}
	switch state {
	case scan.Sandboxed:
		task.Domain, task.Depth, task.DepthExact, p.Depth, p.MaxDepth = 0, 1, true, 1, 1
	case scan.Unknown:
		p.Reason, task.Reason = scan.Denied, scan.Denied
	}
	h.Tasks = append(h.Tasks, task)
	h.Workloads = append(h.Workloads, scan.Workload{
		Name: unit, FullName: unit, Kind: scan.Unit, Cgroup: "/system.slice/" + unit, Unit: unit, Slice: "system.slice",
	})
	h.Processes = append(h.Processes, p)
	return &h.Processes[len(h.Processes)-1]
}

func (h *host) judge(t *testing.T, rules string) *policy.Evaluation {
	t.Helper()
	return policy.New(config(t, rules), policy.Options{Unmatched: true}).Evaluate(&h.Snapshot)
}

func config(t *testing.T, rules string) *policy.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := policy.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Rules {
		c.Rules[i].File = "rules.yml"
	}
	return c
}

const fourRules = `rules:
  - {name: young, match: {unit: [young.service]}}
  - {name: web, match: {unit: [web.service]}, severity: critical}
  - {name: hidden, match: {unit: [hidden.service]}}
  - {name: good, match: {unit: [good.service]}}
  - {name: missing, match: {unit: [missing.service]}, min_processes: 2}
  - {name: elsewhere, match: {unit: [elsewhere.service]}}
`

// mixed is a host with a process for each of the results.
func mixed() *host {
	h := newHost()
	h.process(10, "good.service", "good", "/usr/bin/good", 1, scan.Sandboxed)
	h.process(20, "web.service", "web\x1b[31m\t|", "/usr/bin/web\u202egnp", 30, scan.Unsandboxed)
	h.process(30, "hidden.service", "hidden", "/usr/bin/hidden", 1, scan.Unknown)
	h.process(40, "young.service", "young", "", 0, scan.Unsandboxed).Start = uint64(time.Hour - time.Second)
	return h
}
