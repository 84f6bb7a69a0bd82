// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Unsafe returns what in a text could act on a terminal, empty if nothing. It is
// written independently of internal/untrusted.
func Unsafe(text string) string {
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return "invalid UTF-8"
		case unicode.Is(unicode.C, r):
			return "a control or format character"
		case unicode.Is(unicode.Bidi_Control, r):
			return "a bidi control"
		case unicode.In(r, unicode.Zl, unicode.Zp, unicode.Mn, unicode.Me):
			return "a separator or a mark"
		case unicode.Is(unicode.Z, r) && r != ' ':
			return "a space of another kind"
		case unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam):
			return "a letter that reorders text"
		}
	}
	return ""
}

// CheckSafe fails unless text is whole lines that do nothing to a terminal.
func CheckSafe(t testing.TB, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			t.Fatalf("line without an end: %q", line)
		}
		if what := Unsafe(strings.TrimSuffix(line, "\n")); what != "" {
			t.Fatalf("%q has %s", line, what)
		}
	}
}
