// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/scan"
)

// hardenings are what is found beside sandboxes. Each has a function that reports
// whether all tasks of a process whose state is known have it: who takes a process over
// has the weakest of its threads. It is never written.
var hardenings = [...]struct {
	name string
	has  func(*scan.Snapshot, *scan.Process) bool
}{
	{"no_new_privs", func(_ *scan.Snapshot, p *scan.Process) bool { return p.NoNewPrivs == scan.OfAll }},
	{"seccomp", func(_ *scan.Snapshot, p *scan.Process) bool { return p.Seccomp == scan.OfAll }},
	{"non_root", nonRoot},
	// The kernel lets no task into another user namespace than its process's.
	{"user_namespace", func(_ *scan.Snapshot, p *scan.Process) bool {
		return p.UserNS != 0 && p.UserNS != scan.InitUserNS
	}},
}

// nonRoot allocates nothing: see Snapshot.UIDs.
func nonRoot(s *scan.Snapshot, p *scan.Process) bool {
	if !p.UIDsDiffer {
		return p.UID != 0
	}
	return !slices.ContainsFunc(s.TasksOf(p), func(t scan.Task) bool { return t.UID == 0 })
}

// NewHardening returns a collector of landlock_processes_hardened of one
// snapshot. It is not to be registered for a scan that failed.
func NewHardening(s *scan.Snapshot) prometheus.Collector { return hardeningView{s} }

type hardeningView struct{ snap *scan.Snapshot }

func (v hardeningView) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, processesHardened, processesHardened)
}

func (v hardeningView) Collect(ch chan<- prometheus.Metric) {
	var n [len(hardenings)][4]int
	for i := range v.snap.Processes {
		p := &v.snap.Processes[i]
		// Of one that may not be read, all facts are missing and not false.
		if p.State == scan.Unknown {
			continue
		}
		for h := range hardenings {
			if hardenings[h].has(v.snap, p) {
				n[h][p.State&3]++
			}
		}
	}
	for h := range hardenings {
		for _, state := range [...]scan.State{scan.Sandboxed, scan.Partial, scan.Unsandboxed} {
			if n[h][state] > 0 || state != scan.Partial {
				emit(ch, processesHardened, float64(n[h][state]), hardenings[h].name, state.String())
			}
		}
	}
}
