// SPDX-License-Identifier: Apache-2.0

package trace

import "testing"

// TestMissedByBoth: of what each copy missed, no more can be what both did, and one that is
// interrupted between them may be missed by the second one a call later.
func TestMissedByBoth(t *testing.T) {
	var m misses
	var now [maxPrograms]uint64
	for i, c := range []struct{ first, second, want uint64 }{
		{0, 0, 0}, {5, 0, 0}, {0, 3, 3}, {0, 1, 0}, {2, 7, 2}, {4, 1, 1}, {1, 9, 5},
	} {
		for e := range numEvents {
			now[e] += c.first
			now[numEvents+e] += c.second
		}
		for e, n := range m.add(now, maxCopies) {
			if n != c.want {
				t.Errorf("call %d, event %d: %d were missed by both, want %d", i, e, n, c.want)
			}
		}
	}
}

// TestMissedByOne: where there is one copy, what it missed was missed.
func TestMissedByOne(t *testing.T) {
	var m misses
	var now [maxPrograms]uint64
	for _, more := range []uint64{0, 3, 0, 1} {
		for e := range numEvents {
			now[e] += more
		}
		for e, n := range m.add(now, 1) {
			if n != more {
				t.Errorf("event %d: %d were missed, want %d", e, n, more)
			}
		}
	}
}
