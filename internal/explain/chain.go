// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

func withinAny(s *scan.Snapshot, domain int32, of map[int32]bool) bool {
	for d := range domainid.Chain(s.Domains, domain) {
		if of[d] {
			return true
		}
	}
	return false
}

// Above returns the domains that a task in one domain has and a task in another
// does not: the layers that restrict what the former does to the latter. other is
// domainid.Outermost for a task that is in none.
func Above(s *scan.Snapshot, domain, other int32) []int32 {
	theirs := slices.Collect(domainid.Chain(s.Domains, other))
	var above []int32
	for d := range domainid.Chain(s.Domains, domain) {
		if slices.Contains(theirs, d) {
			break
		}
		above = append(above, d)
	}
	return above
}
