// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/internal/access"
	"github.com/landlockd/landlockd/scan"
)

// NewRestricted returns a collector of landlock_processes_restricted of one
// snapshot. It is not to be registered for a scan that failed.
func NewRestricted(s *scan.Snapshot) prometheus.Collector { return restrictedView{s} }

type restrictedView struct{ snap *scan.Snapshot }

func (v restrictedView) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, processesRestricted, processesRestricted)
}

func (v restrictedView) Collect(ch chan<- prometheus.Metric) {
	if v.snap.Kernel.Landlock != scan.Enabled || v.snap.Source.Rules == "none" {
		return
	}
	rights := access.Supported(v.snap.Kernel.ABI)
	var fs, net, scope [32]int // processes by bit
	for i := range v.snap.Processes {
		p := &v.snap.Processes[i]
		// What is no more than an upper bound is not counted.
		if p.State != scan.Sandboxed || p.RulesUnread {
			continue
		}
		// A kernel can be newer than the table of rights.
		rights = rights.Union(p.Restricted)
		for bit := range fs {
			fs[bit] += int(p.Restricted.FS >> bit & 1)
			net[bit] += int(p.Restricted.Net >> bit & 1)
			scope[bit] += int(p.Restricted.Scope >> bit & 1)
		}
	}
	for _, r := range access.Of(rights) {
		n := [...]*[32]int{access.FS: &fs, access.Net: &net, access.Scope: &scope}[r.Class][r.Bit]
		emit(ch, processesRestricted, float64(n), r.Name)
	}
}
