// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Kernels that do not store fs.refer as handled deny it all the same, from ABI 2 on.
func TestPlacesOfRefer(t *testing.T) {
	for abi, want := range map[int]uint32{1: 1 << 1, 2: 1<<1 | access.Refer} {
		s := &Source{state: state{Kernel: scan.Kernel{ABI: abi}}, rulebook: newRulebook()}
		d := domainid.Domain{ID: 1, Parent: domainid.Outermost, Depth: 1, Lineage: domainid.LineageKnown,
			Handled: access.FS.Rights(1 << 1)}
		s.rulebook.keep(d.ID, 0, &domainid.Ruleset{}, nil)
		j := newPlaceJudge(s, 0, &scan.Snapshot{Domains: []domainid.Domain{d}})
		if got := j.denies(nil, nil, true); got != (domainid.FileRights{Sure: want, May: want}) || j.nowhere != want {
			t.Errorf("ABI %d: %x denied, nowhere granted %x, want %x", abi, got, j.nowhere, want)
		}
	}
}
