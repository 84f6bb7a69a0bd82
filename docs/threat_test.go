// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThreatsHaveTests: each row of the threat model's tables names tests, and those are there.
func TestThreatsHaveTests(t *testing.T) {
	there := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	for _, file := range files(t, "*_test.go") {
		for _, m := range function.FindAllStringSubmatch(string(read(t, file)), -1) {
			there[filepath.Base(filepath.Dir(file))+"."+m[1]] = true
		}
	}
	name := regexp.MustCompile("`([a-z0-9]+\\.Test\\w+)`")
	rows := 0
	for line := range strings.Lines(string(read(t, "threat-model.md"))) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| tests |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| "), "|")
		tests := name.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(tests) == 0 {
			t.Errorf("no test: %s", line)
		}
		for _, m := range tests {
			if !there[m[1]] {
				t.Errorf("there is no %s: %s", m[1], line)
			}
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows were found", rows)
	}
}
