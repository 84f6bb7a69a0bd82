// SPDX-License-Identifier: Apache-2.0

package untrusted

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/landlockd/landlockd/test/hosts"
)

func TestEscape(t *testing.T) {
	tests := []struct {
		text  string
		limit int
		want  string
		ascii string
	}{
		{"bash", 0, "bash", "bash"},
		{"kworker/0:1", 0, "kworker/0:1", "kworker/0:1"},
		{"(sd-pam)", 0, "(sd-pam)", "(sd-pam)"},
		{"", 0, `""`, `""`},
		{"tmux: server", 0, `"tmux: server"`, `"tmux: server"`},
		{`a"b\c`, 0, `"a\"b\\c"`, `"a\"b\\c"`},
		{"\x1b[31m", 0, `"\x1b[31m"`, `"\x1b[31m"`},
		{"a\nb\tc\x7f\x00", 0, `"a\x0ab\x09c\x7f\x00"`, `"a\x0ab\x09c\x7f\x00"`},
		{"\u0085\x85", 0, `"\u0085\x85"`, `"\u0085\x85"`},
		{"\u202egpj\u2066\u200b\ufeff", 0, `"\u202egpj\u2066\u200b\ufeff"`, `"\u202egpj\u2066\u200b\ufeff"`},
		{"\U000e0041", 0, `"\U000e0041"`, `"\U000e0041"`},
		{"e\u0301", 0, `"e\u0301"`, `"e\u0301"`},
		{"א", 0, `"\u05d0"`, `"\u05d0"`},
		{"\u3164\u2800", 0, `"\u3164\u2800"`, `"\u3164\u2800"`},
		{"café", 0, "café", `"caf\u00e9"`},
		{"├─a", 0, `"├─a"`, `"\u251c\u2500a"`},
		{"\ufffd", 0, `"` + "\ufffd" + `"`, `"\ufffd"`},
		{"\xff", 0, `"\xff"`, `"\xff"`},
		{"0123456789abcdef", 16, "0123456789abcdef", "0123456789abcdef"},
		{"0123456789abcdefg", 16, `"0123456789abc"…`, `"0123456789a"...`},
		{"ab\x1b\x1b\x1b\x1b", 16, `"ab\x1b\x1b"…`, `"ab\x1b\x1b"...`},
		{"日本語日本語日本語", 16, `"日本語日本語"…`, `"\u65e5"...`},
		{"anything that is long", 1, `"anything t"…`, `"anything t"...`},
	}
	for _, test := range tests {
		if got := Escape(test.text, test.limit, false); got != test.want {
			t.Errorf("Escape(%q, %d) = %s, want %s", test.text, test.limit, got, test.want)
		}
		if got := Escape(test.text, test.limit, true); got != test.ascii {
			t.Errorf("Escape(%q, %d, ascii) = %s, want %s", test.text, test.limit, got, test.ascii)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "bash", "a b", "\x1b[2J", "\u202e", "\xc2\x85", "日本", `\x1b`, `"`, "…", strings.Repeat("\xff", 100)} {
		f.Add(seed, 20, false)
		f.Add(seed, 0, true)
	}
	f.Fuzz(func(t *testing.T, text string, limit int, ascii bool) {
		got := Escape(text, limit, ascii)
		if what := hosts.Unsafe(got); what != "" {
			t.Fatalf("%q has %s", got, what)
		}
		if n := Columns(got); limit >= minEscaped+5 && n > limit {
			t.Fatalf("%q takes %d columns of %d", got, n, limit)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return r >= utf8.RuneSelf }); ascii && i >= 0 {
			t.Fatalf("%q is not ASCII", got)
		}
		if back, whole := unescape(t, got); whole && back != text || !strings.HasPrefix(text, back) {
			t.Fatalf("%q reads as %q, was %q", got, back, text)
		}
	})
}

// unescape is the inverse of Escape, to show that different names never look
// alike. It reports whether the text was whole.
func unescape(t *testing.T, s string) (text string, whole bool) {
	t.Helper()
	if !strings.HasPrefix(s, `"`) {
		return s, true
	}
	whole = strings.HasSuffix(s, `"`)
	s = strings.TrimSuffix(strings.TrimSuffix(s, "…"), "...")
	s = s[1 : len(s)-1]
	var b strings.Builder
	for len(s) > 0 {
		width := 1
		switch {
		case s[0] != '\\':
			b.WriteByte(s[0])
		case s[1] == 'x':
			width = 4
			b.WriteByte(byte(hex(t, s[2:width])))
		case s[1] == 'u':
			width = 6
			b.WriteRune(rune(hex(t, s[2:width])))
		case s[1] == 'U':
			width = 10
			b.WriteRune(rune(hex(t, s[2:width])))
		default:
			b.WriteByte(s[1])
			width = 2
		}
		s = s[width:]
	}
	return b.String(), whole
}

func hex(t *testing.T, digits string) int {
	t.Helper()
	n := 0
	for _, c := range digits {
		i := strings.IndexRune("0123456789abcdef", c)
		if i < 0 {
			t.Fatalf("%q is not hexadecimal", digits)
		}
		n = n<<4 | i
	}
	return n
}

func FuzzOneLine(f *testing.F) {
	for _, s := range []string{"", "plain", "two\nlines", " \t around \r\n", "\x1b[31mred\x7f", "\xff\xfe", "grün", "\u009b31m", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := OneLine(s)
		for _, r := range got {
			if unicode.IsControl(r) {
				t.Errorf("%q becomes %q", s, got)
			}
		}
	})
}

func TestEscapeWords(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{`it "is" so: a b`, 0, `it "is" so: a b`},
		{"", 0, ""},
		{"a b c", 5, "a b c"},
		{"a word and another", 16, `"a word and an"…`},
		{"a b\n", 0, `"a b\x0a"`},
		{"é", 0, "é"},
	} {
		if got := EscapeWords(c.text, c.limit, false); got != c.want {
			t.Errorf("EscapeWords(%q, %d) = %s, want %s", c.text, c.limit, got, c.want)
		}
	}
}
