// SPDX-License-Identifier: Apache-2.0

// Package plural puts numbers into sentences.
package plural

import (
	"fmt"
	"strings"
)

// Count returns how many there are of something: "1 rule", "2 rules", "3 processes".
func Count[N int | uint64](n N, noun string) string {
	switch {
	case n == 1:
	case noun == "child":
		noun = "children"
	case strings.HasSuffix(noun, "s"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// First lists as many as one reads in a line, and counts the others: "a, b and 3 more".
func First[T any](all []T, most int) string {
	shown := all[:min(most, len(all))]
	parts := make([]string, 0, len(shown))
	for _, one := range shown {
		parts = append(parts, fmt.Sprint(one))
	}
	text := strings.Join(parts, ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Are is Count with a verb behind it: "1 rule is", "2 rules are".
func Are(n int, noun string) string {
	if n == 1 {
		return Count(n, noun) + " is"
	}
	return Count(n, noun) + " are"
}
