// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// columns is how wide a line of prose may be.
const columns = 100

// toldOf is how this project once said that something is shown, known or read.
var toldOf = regexp.MustCompile(`(?i)\b(told|tells?|telling)\b`)

// files returns the files of the tree that match a pattern of git's, as paths from here.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "--full-name", ":/"+pattern).Output()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range strings.FieldsSeq(string(out)) {
		names = append(names, filepath.Join("..", name))
	}
	return names
}

// TestProseOfPages: lines that are read in an editor, too, fit into it, and pages use the plain
// words. Rows of tables, code, and links may be longer.
func TestProseOfPages(t *testing.T) {
	pages := files(t, "*.md")
	for _, page := range pages {
		fenced := false
		for i, line := range strings.Split(string(read(t, page)), "\n") {
			text := strings.TrimLeft(line, " *-")
			switch {
			case strings.HasPrefix(text, "```"):
				fenced = !fenced
			case fenced:
				continue
			case strings.HasPrefix(line, "|"), strings.HasPrefix(line, "    "), strings.HasPrefix(text, "["):
			case utf8.RuneCountInString(line) > columns:
				t.Errorf("%s:%d: %d columns, want at most %d", page, i+1, utf8.RuneCountInString(line), columns)
			}
			if word := toldOf.FindString(line); word != "" {
				t.Errorf("%s:%d: %q: say what is shown, known, read or reported", page, i+1, word)
			}
		}
	}
	if len(pages) < 30 {
		t.Errorf("only %d pages were found", len(pages))
	}
}
