// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/internal/denials"
)

// NewDenials returns a collector of what was denied: landlock_denials_*,
// landlock_workload_denials_total and landlockd_denials_lost_total. Nothing of s
// may be changed until it has been collected.
func NewDenials(s denials.Stats) prometheus.Collector { return denialsView{s} }

type denialsView struct{ denials.Stats }

func (v denialsView) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, firstDenial, lastDenial)
	describe(ch, denialsLost, denialsLost)
}

func (v denialsView) Collect(ch chan<- prometheus.Metric) {
	if v.TotalKnown {
		emit(ch, denialsTotal, float64(v.Total))
	}
	if !v.Fed {
		return
	}
	emit(ch, denialsLost, float64(v.Lost))
	for i, n := range v.ByBlocker {
		if b := denials.Blocker(i); n > 0 || v.Blockers.Has(b) {
			emit(ch, denialsByBlocker, float64(n), b.String())
		}
	}
	for name, n := range v.ByWorkload {
		emit(ch, workloadDenials, float64(n), name)
	}
}
