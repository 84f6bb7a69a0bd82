// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// fullest is the host with the most series that its users can make: one process
// at each depth and in each state, a partial one with all that hardens, a kernel
// with every right and erratum.
func fullest() Scrape {
	const newest = 99
	s := newSnapshot()
	s.Kernel = kernelOf("7.3.0", newest)
	s.Kernel.Errata, s.Kernel.ErrataKnown = ^uint32(0), true
	for depth := range uint16(s.Kernel.NestingLimit()) {
		add(s, scan.Sandboxed, scan.NoReason, depth+1, depth+1, scan.Sandboxed)
	}
	add(s, scan.Unsandboxed, scan.NoReason, 0, 0, scan.Unsandboxed)
	add(s, scan.Partial, scan.NoReason, 0, 1, scan.Sandboxed, scan.Unsandboxed)
	for i := range s.Processes {
		p := &s.Processes[i]
		p.NoNewPrivs, p.Seccomp, p.UID, p.UserNS = scan.OfAll, scan.OfAll, 1000, 1
	}
	name(s, make([]string, len(s.Processes))...)
	s.Conclude()
	d := daemonOf(s)
	d.Daemon.Sources = map[string]string{"taskiter": "", "procattr": ""}
	d.Daemon.Scans.Errors = map[string]uint64{}
	for _, reason := range strings.Fields(
		"timeout internal denied helper no_attribute no_procfs read reader refused unknown_form",
	) {
		d.Daemon.Scans.Errors[reason] = 1
	}
	d.Daemon.Confined = map[string]bool{
		"landlock": true, "no_new_privs": true, "capabilities": true, "user": true, "seccomp": true,
	}
	return d
}

// TestBudget counts the series of such a host that do not grow with workloads,
// rules and single denials: docs/performance.md has these numbers.
func TestBudget(t *testing.T) {
	s := fullest()
	s.Workloads, s.Rights, s.Hardening, s.Config = &WorkloadOptions{}, true, true, &Config{}
	s.Runs = &Runs{}
	families, err := gather(s).Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, f := range families {
		part := "always"
		switch f.GetName() {
		case "landlock_processes_restricted", "landlock_processes_hardened", "landlock_workload_processes":
			part = f.GetName()
		case "landlock_runs_total", "landlock_launches_total",
			"landlockd_runs_start_timestamp_seconds", "landlockd_run_records_lost_total":
			part = "runs"
		}
		counts[part] += len(f.GetMetric())
	}
	for part, most := range map[string]int{
		"always": 80, "runs": 10, "landlock_processes_restricted": 24, "landlock_processes_hardened": 12,
	} {
		if n := counts[part]; n > most || n < most-4 {
			t.Errorf("%s: %d series, want at most %d, and not many less", part, n, most)
		}
	}
}
