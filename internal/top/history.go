// SPDX-License-Identifier: Apache-2.0

package top

import "github.com/landlockd/landlockd/scan"

// longest is how many looks are remembered: more than a line has columns.
const longest = 1000

// never is the coverage where nothing was seen, or nothing is known.
const never = -1

// history is coverage over time, from 0 to 1, the newest last.
type history []float64

// add forgets the oldest ones.
func (h *history) add(coverage float64) {
	if len(*h) == longest {
		*h = append((*h)[:0], (*h)[1:]...)
	}
	*h = append(*h, coverage)
}

func coverage(n scan.ByState) float64 {
	if n.Known() == 0 {
		return never
	}
	return float64(n[scan.Sandboxed]) / float64(n.Known())
}

// draw draws the last ones, from 0 to 100 %, a column each. Only all is the highest bar, and
// only none the lowest.
func (h history) draw(columns int, ascii bool) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	if ascii {
		bars = []rune("_.-=+*%#")
	}
	last := h[max(0, len(h)-max(0, columns)):]
	drawn := make([]rune, len(last))
	for i, c := range last {
		switch between := len(bars) - 2; {
		case c == never:
			drawn[i] = ' '
		case c >= 1:
			drawn[i] = bars[between+1]
		case c > 0:
			drawn[i] = bars[1+min(int(c*float64(between)), between-1)]
		default:
			drawn[i] = bars[0]
		}
	}
	return string(drawn)
}
