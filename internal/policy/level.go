// SPDX-License-Identifier: Apache-2.0

package policy

import "github.com/landlockd/landlockd/access"

// level is how surely something holds, from the least to the most: so the level of
// "and" is the least of two, that of "or" the most.
type level uint8

const (
	no level = iota
	// unknown: it is not known.
	unknown
	// likely: a name matches, and whether it may be trusted is not known.
	likely
	yes
)

func levelOf(b bool) level {
	if b {
		return yes
	}
	return no
}

// answer reports whether it holds, for people.
func (l level) answer() access.Answer {
	// Otherwise access.Unknown.
	return [...]access.Answer{no: access.No, yes: access.Yes}[l]
}
