// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies: dependencies.md has each module that a go.mod of the tree requires for
// itself, runs as a tool, or that the Makefile installs, and no other.
func TestDependencies(t *testing.T) {
	var listed []string
	page, _, _ := strings.Cut(string(read(t, "dependencies.md")), "\n## Programs\n")
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(page, -1) {
		listed = append(listed, row[1])
	}
	used := map[string]string{} // module or program: where it is asked for
	out, err := exec.Command("git", "ls-files", "--full-name", ":/*go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := strings.Fields(string(out))
	for _, file := range modules {
		out, err := exec.Command("go", "mod", "edit", "-json", filepath.Join("..", file)).Output()
		if err != nil {
			t.Fatal(err)
		}
		var module struct {
			Require []struct {
				Path     string
				Indirect bool
			}
			Tool []struct{ Path string }
		}
		if err := json.Unmarshal(out, &module); err != nil {
			t.Fatal(err)
		}
		for _, r := range module.Require {
			if !r.Indirect && r.Path != "github.com/landlockd/landlockd" {
				used[r.Path] = file
			}
		}
		for _, tool := range module.Tool {
			used[tool.Path] = file
		}
	}
	for _, m := range regexp.MustCompile(`,([^,\s]+)@\$\(`).FindAllStringSubmatch(string(read(t, "../Makefile")), -1) {
		used[m[1]] = "Makefile"
	}
	if len(used) < 20 || len(modules) < 4 {
		t.Fatalf("only %d dependencies of %d modules were found", len(used), len(modules))
	}
	// A program is in the module whose path it begins with.
	of := func(path, module string) bool { return path == module || strings.HasPrefix(path, module+"/") }
	for path, file := range used {
		if !slices.ContainsFunc(listed, func(module string) bool { return of(path, module) }) {
			t.Errorf("%s, of %s, is not in docs/dependencies.md", path, file)
		}
	}
	for _, module := range listed {
		found := false
		for path := range used {
			found = found || of(path, module)
		}
		if !found {
			t.Errorf("%s is in docs/dependencies.md, but nothing asks for it", module)
		}
	}
}
