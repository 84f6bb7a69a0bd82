// SPDX-License-Identifier: Apache-2.0

package taskiter

// placesOfRules is where rules lie, by their keys: what stands for the file that a rule is
// on, and for each directory above it in its filesystem.
type placesOfRules map[uint64][]uint64

// parsePlaces leaves out those that are not known, and what makes no sense.
func parsePlaces(words []uint64) placesOfRules {
	places := placesOfRules{}
	for len(words) >= 2 {
		key, n := words[0], words[1]
		if words = words[2:]; n > uint64(len(words)) {
			break
		}
		if n > 0 {
			places[key] = append([]uint64(nil), words[:n]...)
		}
		words = words[n:]
	}
	return places
}
