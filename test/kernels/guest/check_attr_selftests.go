// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// attrTest is where the host puts the tests that our patches add to the kernel's own.
const attrTest = "/attr_test"

// checkAttrSelftests runs those tests. Every one must have a result. The argument "skips"
// names the tests that may be skipped, joined by "+"; "off" is for a kernel where Landlock is
// off, which is the reason of every skip then.
func checkAttrSelftests(t *T) {
	cmd := exec.Command(attrTest)
	cmd.Dir = "/tmp"
	out, err := cmd.CombinedOutput()
	r, bad := parseTAP(out)
	if bad == nil && err != nil && len(r.failed) == 0 {
		bad = err
	}
	if bad != nil || len(r.failed) > 0 {
		t.Logf("%s", out)
	}
	t.Must(bad)
	for _, name := range r.failed {
		t.Errorf("%s failed", name)
	}
	allowed := "+" + t.Arg("skips", "") + "+"
	state := fmt.Sprintf("%d passed, %d skipped", r.passed, len(r.skipped))
	for _, s := range r.skipped {
		if t.Arg("off", "") != "" && s.reason == "Landlock is not enabled" {
			continue
		}
		state += fmt.Sprintf("; %s: %s", s.name, s.reason)
		if !strings.Contains(allowed, "+"+s.name+"+") {
			t.Errorf("%s was skipped: %s", s.name, s.reason)
		}
	}
	t.Fact("attrselftests", state)
}

// tap is what a program said in the Test Anything Protocol.
type tap struct {
	passed  int
	failed  []string
	skipped []tapSkip
}

// tapSkip is a test that was skipped.
type tapSkip struct{ name, reason string }

var (
	tapPlanned = regexp.MustCompile(`^1\.\.(\d+)$`)
	tapTested  = regexp.MustCompile(`^(ok|not ok) (\d+) (?:global\.)?(\S+)(?: # (\w+) ?(.*))?$`)
)

// parseTAP returns an error if a test that was planned has no result, or has it out of turn.
func parseTAP(out []byte) (tap, error) {
	var r tap
	planned, seen := 0, 0
	for line := range bytes.Lines(out) {
		text := strings.TrimSpace(string(line))
		if m := tapPlanned.FindStringSubmatch(text); m != nil {
			planned, _ = strconv.Atoi(m[1])
		}
		m := tapTested.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		seen++
		if m[2] != strconv.Itoa(seen) {
			return r, fmt.Errorf("result %d is %q", seen, text)
		}
		switch {
		case m[1] != "ok":
			r.failed = append(r.failed, m[3])
		case m[4] == "SKIP":
			r.skipped = append(r.skipped, tapSkip{m[3], m[5]})
		default:
			r.passed++
		}
	}
	if planned == 0 || seen != planned {
		return r, fmt.Errorf("%d tests were planned, and %d have a result", planned, seen)
	}
	return r, nil
}
