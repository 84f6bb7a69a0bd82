// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/scan"
)

var assetMetrics = newTable(func(s *Scrape) *scan.Snapshot {
	if s.Snapshot == nil || len(s.Snapshot.Assets) == 0 {
		return nil
	}
	return s.Snapshot
}, []metric[scan.Snapshot]{
	{
		name: "landlock_asset_processes",
		help: "Sandboxed processes by whether Landlock keeps them from an asset. within_reach: it " +
			"does not, or not from all of it. Unix permissions are not looked at. All other " +
			"processes stand in landlock_processes.",
		labels: []Label{
			{"asset", "the asset's name: see [assets.md](assets.md)"},
			{"reach", "`out_of_reach`, `within_reach`, `unknown`"},
		},
		present: "all of an asset that the host has, if the scan succeeded and the configuration " +
			"has assets",
		values: emitAssets,
	},
})

func emitAssets(s *scan.Snapshot, emit emitter) {
	for i, n := range s.CountAssets() {
		if n[domainid.Absent] > 0 {
			continue
		}
		for _, reach := range [...]domainid.Reach{
			domainid.OutOfReach, domainid.WithinReach, domainid.ReachUnknown,
		} {
			emit(float64(n[reach]), s.Assets[i].Name, reach.String())
		}
	}
}

// maxWorkloadAssets bounds the series of landlock_workload_asset_processes of a host.
const maxWorkloadAssets = 100

// within are processes of a workload that Landlock does not keep from an asset.
type within struct {
	workload         string
	asset, processes int
}

// assets emits what is within reach of the workloads that have series. Where those would be
// too many, what is left is added up for each asset, of what is named by users first.
func (w *workloads) assets(emit emitter) {
	if w.hide || len(w.snap.Assets) == 0 {
		return
	}
	naming := map[string]scan.Naming{}
	for i := range w.shown {
		naming[w.shown[i].Name] = w.shown[i].Naming
	}
	var own []within
	rest := make([]int, len(w.snap.Assets))
	for asset, counts := range w.snap.AssetsByWorkload() {
		byName := map[string]int{}
		for i, n := range counts {
			if n == 0 {
				continue
			}
			name := Other
			if i < len(w.snap.Workloads) {
				name = w.snap.Workloads[i].Name
			}
			if _, shown := naming[name]; !shown || name == Other {
				rest[asset] += n
			} else {
				byName[name] += n
			}
		}
		for name, n := range byName {
			own = append(own, within{name, asset, n})
		}
	}
	order.By(own, func(a, b within) int {
		return cmp.Or(cmp.Compare(naming[b.workload], naming[a.workload]),
			cmp.Compare(a.asset, b.asset), cmp.Compare(a.workload, b.workload))
	})
	if most := maxWorkloadAssets - len(rest); len(own) > most {
		for _, x := range own[most:] {
			rest[x.asset] += x.processes
		}
		own = own[:most]
	}
	for asset, n := range rest {
		if n > 0 {
			own = append(own, within{Other, asset, n})
		}
	}
	for _, x := range own {
		emit(float64(x.processes), x.workload, w.snap.Assets[x.asset].Name)
	}
}
