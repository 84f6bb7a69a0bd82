// SPDX-License-Identifier: Apache-2.0

package untrusted

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/landlockd/landlockd/test/hosts"
)

func TestEncodeText(t *testing.T) {
	// No two of these may look equal.
	tests := []struct{ text, want string }{
		{"", ""},
		{"/usr/bin/café", "/usr/bin/café"},
		{"\xff", `\xff`},
		{`\xff`, `\\xff`},
		{`\\xff`, `\\\\xff`},
		{"\xc3", `\xc3`},
		{"\xc3\xa9", "é"},
		{"\ufffd", "\ufffd"},
		{"\x1b", "\x1b"},
		{"\xed\xa0\x80", `\xed\xa0\x80`}, // a surrogate is not valid UTF-8
	}
	seen := map[string]string{}
	for _, test := range tests {
		got := EncodeText(test.text)
		if got != test.want {
			t.Errorf("EncodeText(%q) = %q, want %q", test.text, got, test.want)
		}
		if other, twice := seen[got]; twice {
			t.Errorf("%q and %q look equal", other, test.text)
		}
		seen[got] = test.text
	}
}

func TestDecodeTextRefuses(t *testing.T) {
	for _, text := range []string{`\`, `a\`, `\x`, `\x1`, `\xgg`, `\n`, `\\\`, `\x+1`} {
		if got, err := DecodeText(text); err == nil {
			t.Errorf("DecodeText(%q) = %q", text, got)
		}
	}
}

func FuzzEncodeText(f *testing.F) {
	for _, seed := range []string{"", "bash", "\xff", `\xff`, "\u202e", "\u0085", "\x1b", "\U000e0041", "<&>", "\u2028", `"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		encoded := EncodeText(text)
		if !utf8.ValidString(encoded) {
			t.Fatalf("%q is not valid UTF-8", encoded)
		}
		if back, err := DecodeText(encoded); err != nil || back != text {
			t.Fatalf("%q became %q: %v", text, back, err)
		}
		var w strings.Builder
		enc := json.NewEncoder(&w)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(Text(text)); err != nil {
			t.Fatal(err)
		}
		literal := strings.TrimSuffix(w.String(), "\n")
		if what := hosts.Unsafe(literal); what != "" {
			t.Fatalf("%q has %s", literal, what)
		}
		var back string
		if err := json.Unmarshal([]byte(literal), &back); err != nil || back != encoded {
			t.Fatalf("%q became %q: %v", encoded, back, err)
		}
		var same Text
		if err := json.Unmarshal([]byte(literal), &same); err != nil || string(same) != text {
			t.Fatalf("%q became %q: %v", text, same, err)
		}
	})
}
