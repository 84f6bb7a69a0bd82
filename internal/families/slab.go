// SPDX-License-Identifier: Apache-2.0

package families

// slabSize is how many values a slab allocates at once, at least.
const slabSize = 128

// slab hands out memory that stays where it is, and that is used again after reset: it is not
// cleared then.
type slab[T any] struct {
	chunks [][]T
	chunk  int // the one to take from
	used   int // of that
}

func (s *slab[T]) reset() { s.chunk, s.used = 0, 0 }

// take returns n values in one piece.
func (s *slab[T]) take(n int) []T {
	for s.chunk < len(s.chunks) && s.used+n > len(s.chunks[s.chunk]) {
		s.chunk, s.used = s.chunk+1, 0
	}
	if s.chunk == len(s.chunks) {
		s.chunks = append(s.chunks, make([]T, max(n, slabSize)))
	}
	taken := s.chunks[s.chunk][s.used : s.used+n : s.used+n]
	s.used += n
	return taken
}
