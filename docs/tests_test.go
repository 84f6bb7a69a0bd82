// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadmeHasEveryFolderOfTests: test/README.md links every folder beside it.
func TestReadmeHasEveryFolderOfTests(t *testing.T) {
	readme := string(read(t, "../test/README.md"))
	entries, err := os.ReadDir("../test")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() && !strings.Contains(readme, "]("+name+")") && !strings.Contains(readme, "]("+name+"/README.md)") {
			t.Errorf("%s is not in test/README.md", name)
		}
		if strings.HasSuffix(name, ".sh") && !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("%s is not in test/README.md", name)
		}
	}
}

// TestCommandsOfTests: the commands in READMEs of tests name targets, packages, tests
// and flags that are there. To run them all would take half an hour.
func TestCommandsOfTests(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../test", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "README.md" {
			return err
		}
		for _, command := range commandsIn(string(read(t, path))) {
			found++
			if err := checkCommand(t, words(command)); err != nil {
				t.Errorf("%s: %s: %v", path, command, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 20 {
		t.Errorf("only %d commands were found", found)
	}
}

// TestCheckCommandNotices: what is not there is noticed.
func TestCheckCommandNotices(t *testing.T) {
	for _, command := range []string{
		"make no-such-target", "make fleet NO_SUCH_VARIABLE=1", "go test ./test/nowhere", "go test ./test/truth -run TestNone",
		"go test ./test/truth -truth.none=1", "go -C test/nowhere test ./...", "go run ./test/truth",
		"go run ./test/kernels/cmd/test-kernels -none", "go run ./test/systemd/cmd/test-systemd -guests=6.18", "rm -rf x",
	} {
		if checkCommand(t, words(command)) == nil {
			t.Errorf("%s: nothing is wrong with it", command)
		}
	}
}

// commandsIn returns the lines of sh blocks, and what stands in backquotes and begins
// as a command of make or go does.
func commandsIn(text string) []string {
	var out []string
	for i, part := range regexp.MustCompile("(?m)^```").Split(text, -1) {
		if i%2 == 0 {
			for _, m := range regexp.MustCompile("`((?:make|go) [^`]+)`").FindAllStringSubmatch(part, -1) {
				out = append(out, m[1])
			}
		} else if lines, isShell := strings.CutPrefix(part, "sh\n"); isShell {
			out = append(out, strings.Split(strings.TrimSpace(lines), "\n")...)
		}
	}
	return out
}

func words(command string) []string {
	return strings.Fields(strings.ReplaceAll(strings.ReplaceAll(command, "'", ""), `\|`, "|"))
}

func checkCommand(t *testing.T, w []string) error {
	t.Helper()
	module := ".."
	if len(w) > 3 && w[0] == "go" && w[1] == "-C" {
		module, w = filepath.Join("..", w[2]), append([]string{"go"}, w[3:]...)
	}
	switch {
	case w[0] == "make":
		return checkMake(t, w[1:])
	case w[0] == "go" && w[1] == "run":
		// Flags are defined there, or by what both commands share.
		source := sources(t, filepath.Join("..", w[2]), "*.go")
		if !strings.Contains(source, "\nfunc main()") {
			return fmt.Errorf("%s is no command", w[2])
		}
		return checkFlags(w[3:], source+sources(t, "../test/vm", "command.go"))
	case w[0] == "go" && w[1] == "test":
		return checkGoTest(t, module, w[2:])
	default:
		return fmt.Errorf("no test knows this command")
	}
}

func checkMake(t *testing.T, w []string) error {
	t.Helper()
	makefile := string(read(t, "../Makefile"))
	for _, word := range w {
		name, _, isVariable := strings.Cut(word, "=")
		if isVariable && !strings.Contains(makefile, "("+name+")") || !isVariable && !strings.Contains(makefile, "\n"+name+":") {
			return fmt.Errorf("the Makefile has no %s", name)
		}
	}
	return nil
}

// checkGoTest looks for the packages, the tests that -run selects, and flags that have a
// dot in their names: those are the tests' own.
func checkGoTest(t *testing.T, module string, w []string) error {
	t.Helper()
	source := ""
	for _, word := range w {
		if strings.HasPrefix(word, "./") {
			source += sources(t, filepath.Join(module, strings.TrimSuffix(word, "...")), "*_test.go")
		}
	}
	if !strings.Contains(source, "\nfunc Test") {
		return fmt.Errorf("there are no tests")
	}
	if i := slices.Index(w, "-run"); i >= 0 && !regexp.MustCompile(`(?m)^func (`+strings.TrimSuffix(w[i+1], "$")+`\w*)\(`).MatchString(source) {
		return fmt.Errorf("no test is called %s", w[i+1])
	}
	return checkFlags(slices.DeleteFunc(slices.Clone(w), func(word string) bool { return !strings.Contains(word, ".") }), source)
}

func checkFlags(w []string, source string) error {
	for _, word := range w {
		name, isFlag := strings.CutPrefix(word, "-")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && !strings.Contains(source, `"`+name+`", `) {
			return fmt.Errorf("there is no flag %s", name)
		}
	}
	return nil
}

// sources returns the text of a folder's files; none if there is no such folder.
func sources(t *testing.T, dir, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, file := range files {
		b.Write(read(t, file))
	}
	return b.String()
}
