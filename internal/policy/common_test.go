// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// allTexts calls each with every text of at most some length.
func allTexts(letters string, most int, each func(string)) {
	last := []string{""}
	for {
		var next []string
		for _, t := range last {
			if each(t); len(t) < most {
				for _, r := range letters {
					next = append(next, t+string(r))
				}
			}
		}
		if len(next) == 0 {
			return
		}
		last = next
	}
}

// What a pattern can be is what trying all short texts shows.
func TestCanBe(t *testing.T) {
	yes, no := 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 21))
		of := textsOf(oneOf(r, "a|bb", "(?:ab)*", "/[ab]+", "(?:/a)+|b", "[ab]{2}", "(?:/[^/]+)+",
			"(?s:.{0,2})"))
		text := ""
		for range 1 + r.IntN(4) {
			text += oneOf(r, "a", "b", "/", "*", "**", "?", "[a]", "[!a]", "[a-b]", "B")
		}
		if r.IntN(3) == 0 {
			text = "re:"
			for range 1 + r.IntN(4) {
				text += oneOf(r, "a", "b", "/", ".", "a*", "(a|b)", "[^a]", "(?i:A)", "b?", "a|b")
			}
		}
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		allTexts("abB/", 5, func(s string) { found = found || p.Match(s) && of.re().MatchString(s) })
		if got := p.canBe(&of); got != found {
			t.Fatalf("seed %d: %s can be one of %s: %t, tried %t", seed, text, of.re(), got, found)
		}
		if found {
			yes++
		} else {
			no++
		}
	}
	if yes < 500 || no < 500 {
		t.Errorf("%d times yes, %d times no: this says little", yes, no)
	}
}

// What takes too long may match.
func TestCanBeIsBounded(t *testing.T) {
	of := textsOf("(?:[a-c]{1,200}d)+")
	for text, want := range map[string]bool{
		"re:(?:[a-d]{0,30}){33}e": true, "re:[a-d]{0,9}e": false,
		strings.Repeat("?", 400) + "d": true, strings.Repeat("?", 10) + "e": false,
	} {
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.canBe(&of); got != want {
			t.Errorf("%.40s: %t", text, got)
		}
	}
}
