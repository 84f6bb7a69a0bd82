// SPDX-License-Identifier: Apache-2.0

package scan

import "github.com/landlockd/landlockd/domainid"

// Reaches returns which of Assets Landlock keeps a process from: those of its tasks that are
// in a domain, and its workers. It is false for a process that is neither Sandboxed nor
// Partial, or whose tasks are not listed.
func (s *Snapshot) Reaches(p *Process) (domainid.Reaches, bool) {
	sandbox, inside := s.SandboxOf(p)
	return sandbox.Reach.Beside(s.OutsideWorker(p)), inside
}

// AssetProcesses are the sandboxed processes of a snapshot by whether Landlock keeps them from
// one asset, as [domainid.Reach] has it. If the host does not have the asset, Absent is 1, and
// nobody is counted.
type AssetProcesses [domainid.WithinReach + 1]int

// CountAssets returns the counts of sandboxed processes for each of Assets. Of snapshots that are
// the same they are counted once: the result is shared, and must not be changed.
func (s *Snapshot) CountAssets() []AssetProcesses {
	return CountOnce(s, assetsKey, (*Snapshot).countAssets)
}

func (s *Snapshot) countAssets() []AssetProcesses {
	counts := make([]AssetProcesses, len(s.Assets))
	// Of a task of which nothing is known, too, it is known what the host does not have.
	nothing := s.Meaning().Reaches(domainid.Outermost, domainid.NoScene)
	for asset := range counts {
		if reach, _ := nothing.Of(asset); reach == domainid.Absent {
			counts[asset][domainid.Absent] = 1
		}
	}
	s.eachReach(nothing, func(_ int32, asset int, reach domainid.Reach, n int) {
		counts[asset][reach] += n
	})
	return counts
}

// AssetsByWorkload returns the counts of sandboxed processes that Landlock does not keep from an
// asset: for each of Assets by Process.Workload, those of NoWorkload last. It is shared as that of
// CountAssets is.
func (s *Snapshot) AssetsByWorkload() [][]int {
	return CountOnce(s, assetsByWorkloadKey, (*Snapshot).assetsByWorkload)
}

func (s *Snapshot) assetsByWorkload() [][]int {
	counts := make([][]int, len(s.Assets))
	for asset := range counts {
		counts[asset] = make([]int, len(s.Workloads)+1)
	}
	s.eachReach(domainid.Reaches{}, func(at int32, asset int, reach domainid.Reach, n int) {
		if reach == domainid.WithinReach {
			counts[asset][at] += n
		}
	})
	return counts
}

// eachReach yields the assets that the host has for n sandboxed processes that are alike, of a
// workload, or of none, which is the number of workloads. unlisted is for those whose tasks
// are not listed.
func (s *Snapshot) eachReach(
	unlisted domainid.Reaches, yield func(workload int32, asset int, reach domainid.Reach, n int),
) {
	type alike struct {
		reaches  domainid.Reaches
		workload int32
	}
	groups := map[alike]int{}
	for i := range s.Processes {
		p := &s.Processes[i]
		if p.State != Sandboxed {
			continue
		}
		g := alike{unlisted, int32(len(s.Workloads))}
		if reaches, listed := s.Reaches(p); listed {
			g.reaches = reaches
		}
		if s.WorkloadOf(p) != nil {
			g.workload = p.Workload
		}
		groups[g]++
	}
	for g, n := range groups {
		for asset := range s.Assets {
			if reach, _ := g.reaches.Of(asset); reach != domainid.Absent {
				yield(g.workload, asset, reach, n)
			}
		}
	}
}
