// SPDX-License-Identifier: Apache-2.0

package services

import (
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
)

// Reach is whether Landlock keeps the processes of a service from an asset.
type Reach struct {
	// Asset is its place in the snapshot's Assets.
	Asset int
	// Reach is the worst that holds of a process. ByKernel: of those within reach it is so
	// for what no sandbox on this kernel can restrict.
	Reach    domainid.Reach
	ByKernel bool
	// Processes are all of the service, by their reach; nobody of an asset that is Absent.
	Processes scan.AssetProcesses
}

// addReach fills in the reach of all services, of which at has the place by name.
func addReach(s *scan.Snapshot, all []Service, at map[string]int, assets []int) {
	if len(assets) == 0 {
		return
	}
	host := s.CountAssets()
	for i := range all {
		all[i].Reach = make([]Reach, len(assets))
		for k, asset := range assets {
			all[i].Reach[k].Asset = asset
		}
	}
	for i := range s.Processes {
		p := &s.Processes[i]
		w := s.WorkloadOf(p)
		if w == nil {
			continue
		}
		for k, asset := range assets {
			if host[asset][domainid.Absent] == 0 {
				all[at[w.Name]].Reach[k].add(reachOf(s, p, asset))
			}
		}
	}
}

// reachOf returns whether Landlock keeps a process from an asset that the host has: from
// nothing, if one of its threads is in no domain.
func reachOf(s *scan.Snapshot, p *scan.Process, asset int) (reach domainid.Reach, byKernel bool) {
	reaches, listed := s.Reaches(p)
	switch {
	case p.State == scan.Unsandboxed || p.State == scan.Partial:
		return domainid.WithinReach, false
	case p.State == scan.Unknown || !listed:
		return domainid.ReachUnknown, false
	default:
		return reaches.Of(asset)
	}
}

func (r *Reach) add(reach domainid.Reach, byKernel bool) {
	r.Processes[reach]++
	if reach > r.Reach {
		r.Reach, r.ByKernel = reach, byKernel
	} else if reach == r.Reach {
		r.ByKernel = r.ByKernel && byKernel
	}
}

// cell is the word of the reach.
func (r *Reach) cell() table.Cell {
	c := table.State(r.Reach.String())
	if r.ByKernel {
		c.Text += " (kernel)"
	}
	return c
}
