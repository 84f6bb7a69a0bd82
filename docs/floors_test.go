// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestFloors: each package of the program is on a floor of the picture in architecture.md, by
// its path or that of a room around it, and imports nothing from a floor above.
func TestFloors(t *testing.T) {
	_, picture, _ := strings.Cut(string(read(t, "architecture.md")), "```mermaid\n")
	picture, _, _ = strings.Cut(picture, "```")
	floors := map[string]int{} // counted from the top
	floor := 0
	for line := range strings.Lines(picture) {
		if strings.Contains(line, "subgraph") {
			floor++
			continue
		}
		if m := regexp.MustCompile(`^ +\w+\["(.*)"\]`).FindStringSubmatch(line); m != nil {
			for room := range strings.SplitSeq(m[1], " · ") {
				if floors[room] != 0 {
					t.Errorf("%s is on two floors", room)
				}
				floors[room] = floor
				if _, err := os.Stat(path.Join("..", room)); err != nil {
					t.Errorf("%s is on a floor, but not there", room)
				}
			}
		}
	}
	if floor < 5 || len(floors) < 20 {
		t.Fatalf("only %d rooms on %d floors were found", len(floors), floor)
	}
	floorOf := func(name string) int {
		for ; name != "."; name = path.Dir(name) {
			if n := floors[name]; n != 0 {
				return n
			}
		}
		return 0
	}
	format := `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`
	out, err := exec.Command("go", "list", "-f", format, "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		name := strings.TrimPrefix(words[0], module)
		if regexp.MustCompile(`^(test|docs|deploy)(/|$)`).MatchString(name) {
			continue
		}
		from := floorOf(name)
		if from == 0 {
			t.Errorf("%s is on no floor of the picture in docs/architecture.md: add it there", name)
		}
		for _, imported := range words[1:] {
			to, own := strings.CutPrefix(imported, module)
			if own && from != 0 && floorOf(to) != 0 && floorOf(to) < from {
				t.Errorf("%s imports %s, which stands above it in docs/architecture.md", name, to)
			}
		}
	}
}

// TestWayOfOneFact: the functions of that table are where it says.
func TestWayOfOneFact(t *testing.T) {
	_, way, _ := strings.Cut(string(read(t, "architecture.md")), "\n## The way of one fact\n")
	way, _, _ = strings.Cut(way, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(way, -1)
	if len(rows) < 15 {
		t.Fatalf("only %d steps were found", len(rows))
	}
	for _, row := range rows {
		file, name := row[1], regexp.QuoteMeta(row[2])
		begin := `(?m)^func (\([^)]+\) )?` + name + `[\[(]`
		if ext := path.Ext(file); ext == ".c" || ext == ".h" {
			begin = `(?m)^(static .*)?int ` + name + `\(`
		}
		if !regexp.MustCompile(begin).Match(bytes.TrimSpace(read(t, path.Join("..", file)))) {
			t.Errorf("%s has no function %s", file, row[2])
		}
	}
}
