// SPDX-License-Identifier: Apache-2.0

// Package nearest finds the word that was meant.
package nearest

import "unicode/utf8"

// maxWord is how long a word may be, in runes: nobody's name of a flag is longer.
const maxWord = 64

// Word returns the one of known that a word was probably meant to be, or "": the first one that
// becomes the word by the fewest changes of letters, at most one for every three of its own.
func Word(word string, known []string) string {
	if utf8.RuneCountInString(word) > maxWord {
		return ""
	}
	best, found := (utf8.RuneCountInString(word)+2)/3+1, ""
	for _, k := range known {
		if len(k) >= (len(word)+best)*utf8.UTFMax { // far longer, whatever its letters are
			continue
		}
		if d := distance([]rune(word), []rune(k)); d < best {
			best, found = d, k
		}
	}
	return found
}

// Hint returns ": did you mean X?" of [Word], or "".
func Hint(word string, known []string) string {
	if w := Word(word, known); w != "" {
		return ": did you mean " + w + "?"
	}
	return ""
}

// distance is how many letters must be put in, left out, replaced or swapped with the next one
// (Damerau's and Levenshtein's, each letter changed once).
func distance(a, b []rune) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
