// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// checkGlob finds what is wrong with a glob.
func checkGlob(glob string) error {
	for len(glob) > 0 {
		if glob[0] != '[' {
			glob = glob[1:]
			continue
		}
		set, rest, ok := cutSet(glob)
		if !ok {
			return errors.New("a [ without its ]: to mean the character itself, write [[]")
		}
		for len(set) > 0 {
			var lo, hi rune
			if lo, hi, set = nextRange(set); lo > hi {
				return fmt.Errorf("the range %c-%c is empty", lo, hi)
			}
		}
		glob = rest
	}
	return nil
}

// matchGlob reports whether the whole of a text matches a glob without faults.
//
// On a mismatch only the last star takes one character more: an earlier one took
// the least that it could, and taking more would leave less to the last one, up to
// the same slash. Of double stars the last alone must be kept beside it, as it goes
// on beyond slashes. So the time grows with the length of the text times that of the
// glob, whatever the number of stars.
func matchGlob(glob, text string) bool {
	none := retry{at: -1}
	star, double := none, none
	at := 0 // in text
	rest := glob
	for at < len(text) {
		switch {
		case strings.HasPrefix(rest, "**"):
			rest = rest[2:]
			double, star = retry{rest, at}, none
			continue
		case len(rest) > 0 && rest[0] == '*':
			rest = rest[1:]
			star = retry{rest, at}
			continue
		}
		if r, size := utf8.DecodeRuneInString(text[at:]); len(rest) > 0 {
			if after, ok := matchOne(rest, r, size, text[at]); ok {
				rest, at = after, at+size
				continue
			}
		}
		if star.at >= 0 && text[star.at] == '/' {
			// Whatever begins between the double star and this slash ends here.
			if double.at >= 0 && strings.IndexByte(text[double.at:star.at], '/') < 0 {
				double.at = star.at
			}
			star = none
		}
		again := &star
		if star.at < 0 {
			again = &double
		}
		if again.at < 0 {
			return false
		}
		_, size := utf8.DecodeRuneInString(text[again.at:])
		again.at += size
		rest, at = again.rest, again.at
	}
	return strings.Trim(rest, "*") == ""
}

// retry is where to go on after a star has taken one character more.
type retry struct {
	rest string
	at   int
}

// matchOne matches the first part of a glob, which is no star, with a character,
// and returns what is behind that part. A byte that is not UTF-8 is a character.
func matchOne(glob string, r rune, size int, first byte) (rest string, ok bool) {
	switch glob[0] {
	case '?':
		return glob[1:], r != '/'
	case '[':
		set, rest, ok := cutSet(glob)
		return rest, ok && r != '/' && inSet(glob[1:], set, r)
	}
	if size == 1 {
		return glob[1:], glob[0] == first
	}
	g, n := utf8.DecodeRuneInString(glob)
	return glob[n:], g == r
}

// cutSet returns what is in the brackets that a glob begins with, without a
// negation, and what is behind them. A ] at once is in the set.
func cutSet(glob string) (set, rest string, ok bool) {
	glob = glob[1:]
	if len(glob) > 0 && (glob[0] == '!' || glob[0] == '^') {
		glob = glob[1:]
	}
	if len(glob) > 0 {
		if end := strings.IndexByte(glob[1:], ']'); end >= 0 {
			return glob[:1+end], glob[2+end:], true
		}
	}
	return "", "", false
}

// inSet reports whether r is in a set; inner is what is behind the opening bracket.
func inSet(inner, set string, r rune) bool {
	in := false
	for len(set) > 0 {
		var lo, hi rune
		lo, hi, set = nextRange(set)
		in = in || lo <= r && r <= hi
	}
	return in != (inner[0] == '!' || inner[0] == '^')
}

// nextRange returns the first character or range of a set, and what is behind it.
func nextRange(set string) (lo, hi rune, rest string) {
	lo, n := utf8.DecodeRuneInString(set)
	rest = set[n:]
	if len(rest) < 2 || rest[0] != '-' {
		return lo, lo, rest
	}
	hi, n = utf8.DecodeRuneInString(rest[1:])
	return lo, hi, rest[1+n:]
}
