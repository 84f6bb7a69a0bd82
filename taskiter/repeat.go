// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// On most hosts nothing that a scan reads is other than in the last one. All that is concluded
// is the same then, and so is the memory that it is in. The conclusion has these inputs, and
// no others:
//
//   - the records of the pass: they are compared as they are, byte for byte, and at rest by
//     digests;
//   - what the scan before knew of tasks of partial processes: rememberPartial compares it;
//   - the objects of assets and the ways to them, which each scan reads: reachesAsIn;
//   - executables, rules and conclusions on places that are kept from scan to scan: nothing is
//     added to them but by records that a scan like this one has not, see repeatable;
//   - budgets: what they leave out is never repeated.
//
// A scan of far less than the one before is not repeated either: the memory that a burst took is
// given back where the next scan concludes anew.

// repeatable reports whether a scan that reads what this one did, in one pass, comes to the same
// snapshot: this one learned nothing that the next does not, and left nothing out.
func (s *Source) repeatable(snap *scan.Snapshot) bool {
	p := &s.pass
	return s.deriver == nil && // or each scan vouches for the domains of the next
		len(p.exes) == 0 && len(p.missed) == 0 &&
		len(p.stream) >= p.before-p.before/8 &&
		snap.DomainsUnread == 0 && s.share.domains == usualDomains && len(p.described) < maxDomains &&
		!s.scenes.refused
}

// reachesAsIn reports whether the assets, and the ways to them, are as in the last scan, of which
// the snapshot is.
func (s *Source) reachesAsIn(last *scan.Snapshot) bool {
	same := func(a, b domainid.Asset) bool { return a.Equal(&b) }
	return slices.Equal(s.spaces.of, s.spaces.last) && slices.Equal(s.objects, last.Objects) &&
		(s.assets == nil) == (last.Assets == nil) && slices.EqualFunc(s.assets, last.Assets, same)
}

// rests is how many scans in a row come to the same before memory that only a change needs is
// given up. The scan that ends this rest reads again what it read until then: one in five, at most.
const rests = 4

// repeat returns the snapshot of a scan that came to the same as the last one.
func (s *Source) repeat(last *scan.Snapshot) *scan.Snapshot {
	s.share.adapt(s.control)
	if s.repeats++; s.repeats == rests {
		s.pass.rest()
		s.programs.rest(last.Processes)
	}
	snap := last.Again()
	snap.Source = s.state.Info // others say in it what they add
	s.last = snap
	return snap
}
