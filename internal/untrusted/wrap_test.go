// SPDX-License-Identifier: Apache-2.0

package untrusted

import (
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	for text, want := range map[string]string{
		"a\n": "a\n",
		"  - one two three four five six seven eight nine\n": "  - one two three four five six seven " +
			"eight\n    nine\n",
		"  - " + Fixed(strings.Repeat("a b ", 20)) + " c": "  - " + strings.Repeat("a b ", 20) +
			"\n    c",
	} {
		if got := Wrap(text, 43); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
