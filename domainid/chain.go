// SPDX-License-Identifier: Apache-2.0

package domainid

import "iter"

// Chain ranges over a domain of a slice and all that it is nested in, by their
// places, the innermost first: as far as they are known, and no more than any
// kernel nests.
func Chain(domains []Domain, i int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		i := i
		for range maxNesting {
			if i < 0 || int(i) >= len(domains) || !yield(i) {
				return
			}
			i = domains[i].Parent
		}
	}
}

// Whole reports whether Chain has all domains that a domain of a slice is nested in:
// then it is known to be nested in no other.
func Whole(domains []Domain, i int32) bool {
	layers := uint16(0)
	for range Chain(domains, i) {
		layers++
	}
	return layers > 0 && domains[i].Lineage == LineageKnown && max(1, domains[i].Depth) == layers
}
