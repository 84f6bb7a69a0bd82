// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxPattern is the length of a pattern in bytes: twice that of a unit's name.
const maxPattern = 512

// Pattern is a glob, or with "re:" in front a regular expression (RE2), for the
// whole of a text. The zero value matches the empty text alone.
type Pattern struct {
	text string
	// prefix is what every text that matches begins with.
	prefix string
	glob   bool
	re     *regexp.Regexp
}

// ParsePattern reads a pattern. In a glob, * stands for any text without a
// slash, ** for any text, ? for one character but a slash, [a-z] for one of some
// characters and [!a-z] for one of all others, but never a slash. There is no
// character that takes away another's meaning: units' names have backslashes. To
// mean a star, write [*].
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{text: text, prefix: text}
	switch expr, isRegexp := strings.CutPrefix(text, "re:"); {
	case text == "":
		return p, errors.New("an empty pattern matches nothing")
	case len(text) > maxPattern:
		return p, fmt.Errorf("a pattern of %d bytes, want at most %d", len(text), maxPattern)
	case isRegexp:
		alone, err := regexp.Compile(expr)
		if err == nil {
			p.prefix, _ = alone.LiteralPrefix()
			// What was valid alone is valid in brackets, and they close where it ends.
			p.re, err = regexp.Compile(`\A(?:` + expr + `)\z`)
		}
		if err != nil {
			return p, fmt.Errorf("not a regular expression: %w", err)
		}
	default:
		if i := strings.IndexAny(text, "*?["); i >= 0 {
			p.glob, p.prefix = true, text[:i]
			return p, checkGlob(text)
		}
	}
	return p, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Literal returns the one text that matches, if the pattern is no glob and no
// regular expression.
func (p Pattern) Literal() (string, bool) { return p.text, !p.glob && p.re == nil }

// Match reports whether the whole of a text matches.
func (p *Pattern) Match(text string) bool {
	switch {
	case !strings.HasPrefix(text, p.prefix):
		return false
	case p.re != nil:
		return p.re.MatchString(text)
	case p.glob:
		return matchGlob(p.text[len(p.prefix):], text[len(p.prefix):])
	default:
		return len(text) == len(p.prefix)
	}
}

// matchAny reports whether one of several patterns matches.
func matchAny(patterns []Pattern, text string) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(text) })
}

// matchBeginning is the level of patterns for a text of which only the beginning is
// known, and that it goes on.
func matchBeginning(patterns []Pattern, beginning string) level {
	most := no
	for i := range patterns {
		most = max(most, patterns[i].matchBeginning(beginning))
	}
	return most
}

// isEveryPath reports whether it is a glob for every path: "**" or "/**".
func (p *Pattern) isEveryPath() bool {
	stars := strings.TrimPrefix(p.text, "/")
	return len(stars) > 1 && strings.Trim(stars, "*") == ""
}

// matchBeginning takes a text without a known beginning, which is longer than any path
// that a system call takes, for one that only a pattern for every path matches: no
// such path leads to the system's programs, and whoever makes one elsewhere must not
// leave open what rules are about.
func (p *Pattern) matchBeginning(beginning string) level {
	if beginning == "" {
		return levelOf(p.isEveryPath())
	}
	n := min(len(p.prefix), len(beginning))
	switch deep := p.re != nil || strings.Contains(p.text, "**"); {
	case p.prefix[:n] != beginning[:n], p.re == nil && !p.glob && len(p.text) <= len(beginning):
		return no
	case !deep && strings.Count(beginning, "/") > strings.Count(p.text, "/"):
		return no
	case p.glob && strings.HasSuffix(p.text, "**") && p.Match(beginning):
		return yes // whatever follows
	default:
		return unknown
	}
}
