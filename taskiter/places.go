// SPDX-License-Identifier: Apache-2.0

package taskiter

// placesOfRules are the words of a record of places.
type placesOfRules []uint64

// at returns the key of the rule whose place begins at a word, counted from 1, and its place;
// nil if that is not known.
func (p placesOfRules) at(word uint16) (key uint64, place []uint64) {
	at := int(word) - 1
	if at < 0 || at+2 > len(p) {
		return 0, nil
	}
	key, n, names := p[at], p[at+1], p[at+2:]
	if n > uint64(len(names)) {
		n = 0
	}
	return key, append(place, names[:n]...)
}
