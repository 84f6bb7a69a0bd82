// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestContributing: the files, tests and targets that CONTRIBUTING.md names are there.
func TestContributing(t *testing.T) {
	text := string(read(t, "../CONTRIBUTING.md"))
	exists := func(name string) {
		t.Helper()
		if _, err := os.Stat(filepath.Join("..", name)); err != nil {
			t.Error(err)
		}
	}
	hasTest := func(files, name string) {
		t.Helper()
		found, err := filepath.Glob(filepath.Join("..", files))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if strings.Contains(string(read(t, file)), "\nfunc "+name+"(") {
				return
			}
		}
		t.Errorf("%s has no %s", files, name)
	}
	_, places, _ := strings.Cut(text, "\n## One obvious place\n")
	places, _, _ = strings.Cut(places, "\n## ")
	n := 0
	for _, m := range regexp.MustCompile("`([a-z][\\w./-]*_test\\.go)` `(Test\\w+)`").FindAllStringSubmatch(places, -1) {
		hasTest(m[1], m[2])
		n++
	}
	for _, m := range regexp.MustCompile("`([a-z][\\w.-]*/[\\w./-]*)`").FindAllStringSubmatch(text, -1) {
		exists(m[1])
		n++
	}
	makefile := string(read(t, "../Makefile"))
	for _, m := range regexp.MustCompile("(?m)(?:^    |`)make ?([a-z-]*)").FindAllStringSubmatch(text, -1) {
		if m[1] != "" && !strings.Contains(makefile, "\n"+m[1]+":") {
			t.Errorf("make %s: there is no such target", m[1])
		}
		n++
	}
	for _, m := range regexp.MustCompile(`go (?:test|generate) \./([\w./-]+)(?: -run (\w+))?`).FindAllStringSubmatch(text, -1) {
		exists(m[1])
		if m[2] != "" {
			hasTest(m[1]+"/*_test.go", m[2])
		}
		n++
	}
	if n < 50 {
		t.Errorf("only %d names were found", n)
	}
}
