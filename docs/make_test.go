// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestMakeHelp: each target that is not a file's has a line in "make help".
func TestMakeHelp(t *testing.T) {
	out, err := exec.Command("make", "-s", "-C", "..", "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	targets := regexp.MustCompile(`(?m)^\.PHONY: ([\w-]+)$`).FindAllStringSubmatch(string(read(t, "../Makefile")), -1)
	for _, target := range targets {
		if !regexp.MustCompile(`(?m)^  ` + target[1] + ` +\S`).Match(out) {
			t.Errorf("make help does not have %s", target[1])
		}
	}
	if len(targets) < 15 {
		t.Errorf("only %d targets were found", len(targets))
	}
}

// TestReleaseNotes: of a version its own part, of what is no release what is not released,
// and of a release without a part nothing but an error.
func TestReleaseNotes(t *testing.T) {
	const changelog = "# Changelog\n\n## Unreleased\n\n* [FEATURE] c\n\n" +
		"## 1.2.0 / 2026-01-02\n\n* [FEATURE] b\n  more\n\n* [BUGFIX] a\n\n## 1.2.0-rc.1\n\n* [CHANGE] r\n\n## 1.1.0\n"
	for version, want := range map[string]string{
		"v1.2.0":            "* [FEATURE] b\n  more\n\n* [BUGFIX] a\n",
		"1.2.0":             "* [FEATURE] b\n  more\n\n* [BUGFIX] a\n",
		"v1.2.0-rc.1":       "* [CHANGE] r\n",
		"v1.2.0-3-g0123456": "* [FEATURE] c\n",
		"dev":               "* [FEATURE] c\n",
		"v1.1.0":            "", // empty
		"v1.3.0":            "", // not there
	} {
		c := exec.Command("../deploy/packaging/notes.sh", version)
		c.Stdin = strings.NewReader(changelog)
		out, err := c.Output()
		if string(out) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", version, out, err, want)
		}
	}
}
