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
	if v.snap.Kernel.Landlock != scan.Enabled || !tellsMeaning(v.snap) {
		return
	}
	rights := v.snap.Kernel.Rights.Sure
	var n [access.NumClasses][32]int // processes by class and bit
	for i := range v.snap.Processes {
		p := &v.snap.Processes[i]
		if p.State != scan.Sandboxed {
			continue
		}
		sandbox, _ := v.snap.SandboxOf(p)
		for class, mask := range sandbox.Restricts.Sure {
			for ; mask != 0; mask &= mask - 1 {
				n[class][bits.TrailingZeros32(mask)]++
			}
		}
	}
	for _, r := range access.Of(rights) {
		emit(ch, processesRestricted, float64(n[r.Class][r.Bit]), r.Name)
	}
}
