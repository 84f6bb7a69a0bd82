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

// CountAssets counts the sandboxed processes for each of Assets.
func (s *Snapshot) CountAssets() []AssetProcesses {
	counts := make([]AssetProcesses, len(s.Assets))
	// Of a task of which nothing is known, too, it is known what the host does not have.
	nothing := s.Meaning().Reaches(domainid.Outermost, domainid.NoScene)
	for asset := range counts {
		if reach, _ := nothing.Of(asset); reach == domainid.Absent {
			counts[asset][domainid.Absent] = 1
		}
	}
	s.eachReach(nothing, func(_ *Process, asset int, reach domainid.Reach) { counts[asset][reach]++ })
	return counts
}

// AssetsByWorkload counts the sandboxed processes that Landlock does not keep from an asset:
// for each of Assets by Process.Workload, those of NoWorkload last.
func (s *Snapshot) AssetsByWorkload() [][]int {
	counts := make([][]int, len(s.Assets))
	for asset := range counts {
		counts[asset] = make([]int, len(s.Workloads)+1)
	}
	s.eachReach(domainid.Reaches{}, func(p *Process, asset int, reach domainid.Reach) {
		if reach != domainid.WithinReach {
			return
		}
		at := len(s.Workloads)
		if s.WorkloadOf(p) != nil {
			at = int(p.Workload)
		}
		counts[asset][at]++
	})
	return counts
}

// eachReach yields for each sandboxed process the assets that the host has. unlisted is for
// those whose tasks are not listed.
func (s *Snapshot) eachReach(
	unlisted domainid.Reaches, yield func(p *Process, asset int, reach domainid.Reach),
) {
	for i := range s.Processes {
		p := &s.Processes[i]
		if p.State != Sandboxed {
			continue
		}
		reaches, listed := s.Reaches(p)
		if !listed {
			reaches = unlisted
		}
		for asset := range s.Assets {
			if reach, _ := reaches.Of(asset); reach != domainid.Absent {
				yield(p, asset, reach)
			}
		}
	}
}
