// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPreCommit runs the hook as git does, in a repository with one package: it lets pass what
// is in order, and what is staged counts, not what the file has now.
func TestPreCommit(t *testing.T) {
	dir := t.TempDir()
	hook := read(t, "../.githooks/pre-commit")
	write := func(name, text string, mode os.FileMode) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) (string, error) {
		c := exec.Command("git", append([]string{"-c", "core.hooksPath=.githooks"}, args...)...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
			"GIT_COMMITTER_EMAIL=a@b", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GOFLAGS=-buildvcs=false")
		out, err := c.CombinedOutput()
		return string(out), err
	}
	commit := func(what, refused string) {
		t.Helper()
		if out, err := git("add", "-A"); err != nil {
			t.Fatal(out)
		}
		out, err := git("commit", "-m", what)
		switch {
		case refused == "" && err != nil:
			t.Errorf("%s is refused: %s", what, out)
		case refused != "" && (err == nil || !strings.Contains(out, refused)):
			t.Errorf("%s: %v, %s; want %q", what, err, out, refused)
		}
	}
	if out, err := git("init", "-q"); err != nil {
		t.Fatal(out)
	}
	write(".githooks/pre-commit", string(hook), 0o755)
	write("go.mod", "module example.org/m\n\ngo 1.26\n", 0o644)
	write("p/p.go", "package p\n\nfunc F() int { return 1 }\n", 0o644)
	commit("what is in order", "")
	write("p/p.go", "package p\n\nfunc  F() int { return 2 }\n", 0o644)
	commit("what is not formatted", "gofmt -w p/p.go")
	write("p/p.go", "package p\n\nfunc F() int { return 2 }\n", 0o644)
	if out, err := git("commit", "-m", "the index"); err == nil {
		t.Errorf("what is staged is not what was checked: %s", out)
	}
	write("p/p.go", "package p\n\nimport \"fmt\"\n\nfunc F() { fmt.Printf(\"%d\", \"a\") }\n", 0o644)
	commit("what vet finds", "wrong type")
	write("p/p.go", "package p\n\nvar  V int\n", 0o644)
	if out, err := git("commit", "-a", "-m", "all"); err == nil || !strings.Contains(out, "gofmt -w p/p.go") {
		t.Errorf("commit -a: %v, %s; want it to be formatted", err, out)
	}
	write("p/p.go", "package p\n", 0o644)
	write("access/a.go", "package access\n", 0o644)
	write("access/a_test.go", "package access\n\nimport \"testing\"\n\nfunc TestPage(t *testing.T) { t.Error(\"table\") }\n", 0o644)
	commit("a table that is old", "table")
}
