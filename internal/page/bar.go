// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"math"
	"strings"
)

// kind is a word of a metric's label, and the colour that it has: a class of page.css.
type kind struct{ word, class string }

// The words in the order in which bars show them.
var (
	states = []kind{
		{"sandboxed", "good"}, {"partial", "warn"}, {"unsandboxed", "bad"}, {"unknown", "none"}}
	results = []kind{
		{"compliant", "good"}, {"starting", "warn"}, {"waived", "warn"}, {"violating", "bad"}, {"unknown", "none"}}
	ended = []kind{
		{"compliant", "good"}, {"short", "warn"}, {"waived", "warn"}, {"violating", "bad"}, {"unknown", "none"}}
	reaches = []kind{{"out_of_reach", "good"}, {"within_reach", "bad"}, {"unknown", "none"}}
)

// bar is a picture of parts of a whole.
type bar struct {
	Parts []part
	// Label says in words what it shows: "3 sandboxed, 1 unsandboxed".
	Label string
}

// part is one of them: X and Width are percents.
type part struct {
	Word, Class string
	N           int
	X, Width    float64
}

// leastWidth is how wide a part is that is there, however small.
const leastWidth = 1.5

// newBar returns the picture of counts by the words of kinds: all of them, that have no width
// if there is none.
func newBar(kinds []kind, n map[string]int) bar {
	parts := make([]part, len(kinds))
	var words []string
	total, sum := 0, 0.0
	for _, k := range kinds {
		total += n[k.word]
	}
	for i, k := range kinds {
		p := part{Word: strings.ReplaceAll(k.word, "_", " "), Class: k.class, N: n[k.word]}
		if p.N > 0 {
			p.Width = max(leastWidth, float64(p.N)/float64(total)*100)
			words = append(words, fmt.Sprintf("%d %s", p.N, p.Word))
		}
		sum += p.Width
		parts[i] = p
	}
	x := 0.0
	for i := range parts {
		if sum > 0 {
			parts[i].Width = hundredths(parts[i].Width / sum * 100)
		}
		parts[i].X = hundredths(x)
		x += parts[i].Width
	}
	if len(words) == 0 {
		words = []string{"none"}
	}
	return bar{parts, strings.Join(words, ", ")}
}

func hundredths(x float64) float64 { return math.Round(x*100) / 100 }

// percent is a ratio in words that make it neither all nor nothing if it is not.
func percent(ratio float64) string {
	if ratio > 0 && ratio < 0.01 {
		return "<1 %"
	}
	return fmt.Sprintf("%.0f %%", math.Floor(ratio*100))
}
