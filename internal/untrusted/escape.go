// SPDX-License-Identifier: Apache-2.0

package untrusted

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes untrusted text safe to print on a terminal. Letters, digits and
// the punctuation of usual names stand for themselves. A name with anything
// else is put in double quotes, so that it cannot look like the text around it;
// within them, \x1b is a byte that is a control character or not valid UTF-8,
// \u202e and \U000e0041 are characters that move, hide or reorder text, and
// \" and \\ are the characters themselves.
//
// The result has no more than limit columns, but always room for a few
// characters; a limit of 0 means none. Text that was cut is in quotes with an
// ellipsis behind them. With ascii, everything that is not ASCII is escaped.
func Escape(text string, limit int, ascii bool) string {
	body, plain, cut := escapeBody(text, limit, ascii)
	if plain && !cut && body != "" {
		return body
	}
	const quotes = 2
	dots := ellipsis(ascii)
	if limit > 0 {
		body, _, cut = escapeBody(text, max(limit-quotes, minEscaped), ascii)
		if cut {
			body, _, _ = escapeBody(text, max(limit-quotes-Columns(dots), minEscaped), ascii)
		}
	}
	if !cut {
		dots = ""
	}
	return `"` + body + `"` + dots
}

// EscapeWords is Escape for text that is words, such as a message: what is all of
// printable ASCII, and within the limit, stands as it is, spaces and quotes too.
func EscapeWords(text string, limit int, ascii bool) string {
	beyondASCII := func(r rune) bool { return r < ' ' || r > '~' }
	if limit > 0 && len(text) > limit || strings.ContainsFunc(text, beyondASCII) {
		return Escape(text, limit, ascii)
	}
	return text
}

// OneLine keeps text, such as an error that quotes others, on one line: what is not
// graphic becomes a space.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(text))
}

// minEscaped is room for one character in its longest form, \U000e0041.
const minEscaped = 10

func ellipsis(ascii bool) string {
	if ascii {
		return "..."
	}
	return "…"
}

// escapeBody escapes text up to a limit of columns. It reports whether all of it can
// stand without quotes, and whether some was cut.
func escapeBody(text string, limit int, ascii bool) (body string, plain, cut bool) {
	if simple, plain := asItIs(text); simple && (limit <= 0 || len(text) <= limit) {
		return text, plain, false
	}
	var b strings.Builder
	plain = true
	used := 0
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		form := escapeRune(r, text[:size], ascii)
		width := Columns(form)
		if limit > 0 && used+width > limit {
			return b.String(), plain, true
		}
		used += width
		plain = plain && usual(r) && len(form) == size
		b.WriteString(form)
		text = text[size:]
	}
	return b.String(), plain, false
}

// asItIs reports whether text is of characters of ASCII that all stand for themselves, as most is,
// and whether it can stand without quotes.
func asItIs(text string) (simple, plain bool) {
	plain = true
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false, false
		}
		plain = plain && usual(rune(c))
	}
	return true, plain
}

// escapeRune returns the form of a rune, which is all of the text.
func escapeRune(r rune, text string, ascii bool) string {
	switch {
	case r == utf8.RuneError && len(text) == 1:
		return fmt.Sprintf(`\x%02x`, text[0])
	case r == '"', r == '\\':
		return `\` + text
	case printable(r) && (!ascii || r < utf8.RuneSelf):
		return text
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}

// usual reports whether a name of such characters needs no quotes. Spaces,
// brackets and the characters that branches are drawn with are not among them.
func usual(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) ||
		r != 0 && strings.ContainsRune("_-./:+@#%=,()~", r)
}

// Columns is how many columns of a terminal text takes at most. It counts two
// for every character beyond ASCII, except for those that this package prints
// itself, because some are wide and none is wider.
func Columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		boxDrawing := r >= 0x2500 && r <= 0x257f
		if r >= utf8.RuneSelf && r != '…' && r != '·' && !boxDrawing {
			n++
		}
	}
	return n
}

// printable reports whether a terminal shows r as a mark of its own, in its
// place, and does nothing else.
func printable(r rune) bool {
	if r < 0x7f {
		return r >= ' '
	}
	return unicode.IsPrint(r) && // no controls, formats (bidi, zero-width), spaces, unassigned
		!unicode.In(r, unicode.Mn, unicode.Me) && // drawn over the character before
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != '\u2800' && // blank
		!rightToLeft(r)
}

// rightToLeft reports whether r is in a block that Unicode reserves for scripts
// written from right to left: one such letter reorders what stands behind it.
func rightToLeft(r rune) bool {
	return r >= 0x0590 && r <= 0x08ff || r >= 0xfb1d && r <= 0xfdff ||
		r >= 0xfe70 && r <= 0xfeff || r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff
}
