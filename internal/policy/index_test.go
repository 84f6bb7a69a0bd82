// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"
	"testing"
)

// TestIndexOfLongPaths: a process with a path that no system call takes makes no work with
// the rules that cannot be about it, which its owner could multiply.
func TestIndexOfLongPaths(t *testing.T) {
	const rules = 1000
	var text strings.Builder
	text.WriteString("rules:\n")
	for i := range rules {
		fmt.Fprintf(&text, "- {name: r%d, match: {exe: [/usr/bin/p%d, \"/opt/*/p%d\"]}}\n", i, i, i)
	}
	text.WriteString("- {name: deep, match: {exe: [/usr/bin/x, \"/usr/**\"]}}\n")
	text.WriteString("- {name: words, match: {exe: [\"re:/usr/(bin|sbin)/.*\"]}}\n")
	text.WriteString("- {name: all, match: {exe: [\"/**\"]}}\n")
	x := newIndex(load(t, text.String()).Rules)
	for _, c := range []struct {
		exe  executable
		want int
	}{
		{executable{cut: true}, 1}, // the one about every path
		{executable{}, rules + 3},
		{executable{path: "/tmp/x"}, 1},
		{executable{path: "/usr/lib/" + strings.Repeat("d", 300), cut: true}, 3},
	} {
		got := x.candidates(&facts{place: outside, exe: c.exe}, nil)
		if len(got) != c.want {
			t.Errorf("%+v: %d candidates, want %d", c.exe, len(got), c.want)
		}
	}
}
