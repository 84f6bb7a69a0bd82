// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// However many workloads and assets there are, the series of a host are bounded, add up to
// what is within reach of all, and leave out what users name first.
func TestWorkloadAssetsAreBounded(t *testing.T) {
	s := newSnapshot()
	s.Kernel = kernelOf("6.1.0", 2) // which can restrict none of them
	for i := range domainid.MaxAssets {
		s.Assets = append(s.Assets, domainid.Asset{Name: fmt.Sprintf("asset-%d", i), Signal: true})
	}
	const processes = 60
	var names []string
	for i := range processes {
		add(s, scan.Sandboxed, scan.NoReason, 1, 1, scan.Sandboxed)
		names = append(names, fmt.Sprintf("workload-%d", i))
	}
	name(s, names...)
	for i := range s.Workloads {
		if i%20 == 7 {
			s.Workloads[i].Kind = scan.Unit
		}
	}
	s.Conclude()
	for _, limit := range []int{0, 4, 50, 100} {
		families, err := gather(Scrape{Snapshot: s, Workloads: &WorkloadOptions{Limit: limit}}).Gather()
		if err != nil {
			t.Fatal(err)
		}
		series, sum, units := 0, map[string]float64{}, map[string]int{}
		for _, f := range families {
			if f.GetName() != "landlock_workload_asset_processes" {
				continue
			}
			for _, m := range f.GetMetric() {
				asset, workload := m.GetLabel()[0].GetValue(), m.GetLabel()[1].GetValue()
				sum[asset] += m.GetGauge().GetValue()
				units[workload]++
				series++
			}
		}
		if series > 100 || series < 20 || limit > 5 && series != 100 {
			t.Errorf("limit %d: %d series", limit, series)
		}
		for i := range s.Assets {
			if got := sum[s.Assets[i].Name]; got != processes {
				t.Errorf("limit %d: %s: %v processes", limit, s.Assets[i].Name, got)
			}
		}
		for i := range s.Workloads {
			if name := s.Workloads[i].Name; limit > 5 && s.Workloads[i].Kind == scan.Unit && units[name] != len(s.Assets) {
				t.Errorf("limit %d: the unit %s has %d series", limit, name, units[name])
			}
		}
	}
}
