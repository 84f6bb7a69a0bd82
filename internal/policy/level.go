// SPDX-License-Identifier: Apache-2.0

package policy

// level says whether something holds, from the least to the most: so and is the
// least of two, and or the most.
type level uint8

const (
	no level = iota
	// unknown: it cannot be told.
	unknown
	// likely: a name matches, and whether it may be trusted cannot be told.
	likely
	yes
)

func levelOf(b bool) level {
	if b {
		return yes
	}
	return no
}
