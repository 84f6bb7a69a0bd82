// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/scan"
)

// hardenings are what keeps sandboxes company, each with how it is told of a
// process whose state is known. It is never written.
var hardenings = [...]struct {
	name string
	has  func(*scan.Process) bool
}{
	{"no_new_privs", func(p *scan.Process) bool { return p.NoNewPrivs }},
	{"seccomp", func(p *scan.Process) bool { return p.Seccomp != 0 }},
	{"non_root", func(p *scan.Process) bool { return p.UID != 0 }},
	{"user_namespace", func(p *scan.Process) bool { return p.UserNS != 0 && p.UserNS != scan.InitUserNS }},
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
			if hardenings[h].has(p) {
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
