// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/bits"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

var restrictedMetrics = newTable(func(s *Scrape) *scan.Snapshot {
	if !s.Rights || s.Snapshot == nil ||
		s.Snapshot.Kernel.Landlock != scan.Enabled || !showsMeaning(s.Snapshot) {
		return nil
	}
	return s.Snapshot
}, []metric[scan.Snapshot]{
	{
		name: "landlock_processes_restricted",
		help: "Sandboxed processes of which every task is known to be restricted in the right: " +
			"some layer of its domain handles it and grants it neither everywhere nor, for " +
			"ports, without limit. With landlockd_source_info{rules=\"unread\"}: handles it. " +
			"Those of which it is unknown are not counted.",
		labels: []Label{{"right", "each right that this kernel is known to have, by the kernel's " +
			"own name: see [rights.md](rights.md)"}},
		present: "if the scan succeeded, Landlock is enabled and the source finds out what " +
			"domains handle, unless `--no-collector.rights` is given",
		values: emitRestricted,
	},
})

// byRight are processes by class and bit.
type byRight [access.NumClasses][32]int

func countRestricted(s *scan.Snapshot) (n byRight) {
	for i := range s.Processes {
		p := &s.Processes[i]
		if p.State != scan.Sandboxed {
			continue
		}
		sandbox, _ := s.SandboxOf(p)
		for class, mask := range sandbox.Restricts.Sure {
			for ; mask != 0; mask &= mask - 1 {
				n[class][bits.TrailingZeros32(mask)]++
			}
		}
	}
	return n
}

func emitRestricted(s *scan.Snapshot, emit emitter) {
	n := scan.CountOnce(s, restrictedKey, countRestricted)
	for _, r := range access.Of(s.Kernel.Rights.Sure) {
		emit(float64(n[r.Class][r.Bit]), r.Name)
	}
}
