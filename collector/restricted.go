// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/bits"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/access"
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
	var n [access.NumClasses][32]int // processes by class and bit
	for i := range v.snap.Processes {
		p := &v.snap.Processes[i]
		// What is no more than an upper bound is not counted.
		if p.State != scan.Sandboxed || p.RulesUnread {
			continue
		}
		// A kernel can be newer than the table of rights.
		rights = rights.Union(p.Restricted)
		for class, mask := range p.Restricted {
			for ; mask != 0; mask &= mask - 1 {
				n[class][bits.TrailingZeros32(mask)]++
			}
		}
	}
	for _, r := range access.Of(rights) {
		emit(ch, processesRestricted, float64(n[r.Class][r.Bit]), r.Name)
	}
}
