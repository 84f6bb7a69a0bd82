// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// apart is what the word may still be used for: to distinguish.
var apart = regexp.MustCompile(`(?i)\b(told|tells?)( \w+){0,3} apart\b`)

// TestProseOfDeploy: texts of alerts and dashboards, and comments of units, manifests and packages,
// use the plain words, too.
func TestProseOfDeploy(t *testing.T) {
	n := 0
	for _, pattern := range []string{
		"deploy/prometheus/mixin/*", "deploy/systemd/*", "deploy/kubernetes/*.yaml", "deploy/packaging/*.y*ml",
		"deploy/packaging/man.tail",
	} {
		for _, file := range files(t, pattern) {
			n++
			for i, line := range strings.Split(string(read(t, file)), "\n") {
				if word := toldOf.FindString(apart.ReplaceAllString(line, "")); word != "" {
					t.Errorf("%s:%d: %q: say what is shown, known, read or reported", file, i+1, word)
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d files were found", n)
	}
}

// TestProseOfCode: the same of comments and texts of the program, Go and C, in which things may
// be told apart, and Go's "reports whether" is what a function does.
func TestProseOfCode(t *testing.T) {
	whether := regexp.MustCompile(`(?i)\b(says?|said) whether\b`)
	comment := regexp.MustCompile(`^\s*(//[^g]|\*|/\*)`) // not //go:generate
	n := 0
	for _, file := range slices.Concat(files(t, "*.go"), files(t, "*.c"), files(t, "*.h")) {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "../test/") || strings.Contains(file, "object_bpf") {
			continue
		}
		n++
		for i, line := range strings.Split(string(read(t, file)), "\n") {
			wide := strings.ReplaceAll(line, "\t", "    ")
			if comment.MatchString(line) && utf8.RuneCountInString(wide) > columns {
				t.Errorf("%s:%d: %d columns, want at most %d", file, i+1, utf8.RuneCountInString(wide), columns)
			}
			if word := toldOf.FindString(apart.ReplaceAllString(line, "")) + whether.FindString(line); word != "" {
				t.Errorf("%s:%d: %q: say what is shown, known, read or reported", file, i+1, word)
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d files were found", n)
	}
}
