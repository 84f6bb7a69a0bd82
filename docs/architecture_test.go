// SPDX-License-Identifier: Apache-2.0

// Package docs checks the documentation against the code.
package docs

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestArchitectureHasEveryRoom: each package is in the table of rooms, by its path or
// that of a room around it, and each room of the table is there.
func TestArchitectureHasEveryRoom(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	rooms := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		names, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for _, name := range regexp.MustCompile("`([a-z/0-9]+)`").FindAllStringSubmatch(names, -1) {
			if strings.HasPrefix(line, "| `") {
				rooms[name[1]] = true
				if _, err := os.Stat(path.Join("..", name[1])); err != nil {
					t.Errorf("%s is in the table, but not there", name[1])
				}
			}
		}
	}
	out, err := exec.Command("go", "list", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		name = strings.TrimPrefix(name, "github.com/landlockd/landlockd/")
		around := name
		for !rooms[around] && around != "." {
			around = path.Dir(around)
		}
		if around == "." && name != "docs" {
			t.Errorf("%s is not in the table", name)
		}
	}
	if len(rooms) < 30 {
		t.Errorf("only %d rooms were found", len(rooms))
	}
}
