// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"fmt"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// BenchmarkAssets concludes of 10 000 processes in 500 domains, without assets and with 20 of
// them, of 3 objects each, and counts them as a scrape does.
func BenchmarkAssets(b *testing.B) {
	for _, assets := range []int{0, 20} {
		s := &Snapshot{
			Kernel: Kernel{Landlock: Enabled, ABI: 9, Rights: access.Exactly(access.Supported(9))},
			Source: SourceInfo{Rules: "read"},
		}
		for i := range int32(assets) {
			s.Assets = append(s.Assets, domainid.Asset{Name: fmt.Sprint(i), Paths: []string{"/a"}, Read: true, Write: true})
			for range 3 {
				s.Objects = append(s.Objects, domainid.Object{Asset: i, Kind: domainid.ObjectDirectory, Parent: -1})
			}
		}
		denied := domainid.FileRights{Sure: ^uint32(0), May: ^uint32(0)}
		for i := range int32(500) {
			s.Workloads = append(s.Workloads, Workload{Name: fmt.Sprintf("w%03d", i)})
			s.Domains = append(s.Domains, domainid.Domain{ID: domainid.ID(i + 1), Parent: -1, Depth: 1,
				Lineage: domainid.LineageKnown, Handled: access.Supported(9), Ruleset: &domainid.Ruleset{}})
			scene := domainid.Scene{Domain: i}
			for range s.Objects {
				scene.Places = append(scene.Places, domainid.Place{Denied: denied, Below: denied})
			}
			s.Scenes = append(s.Scenes, scene)
		}
		for i := range int32(10_000) {
			in := i % 500
			s.Processes = append(s.Processes, Process{PID: i + 1, State: Sandboxed, Depth: 1, Workload: in, FirstTask: i, NumTasks: 1})
			s.Tasks = append(s.Tasks, Task{TID: i + 1, State: Sandboxed, Domain: in, View: -1, Scene: in + 1, Depth: 1, DepthExact: true})
		}
		b.Run(fmt.Sprint(assets), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Conclude()
				s.CountAssets()
				s.AssetsByWorkload()
			}
		})
	}
}
