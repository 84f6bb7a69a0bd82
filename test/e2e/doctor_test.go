// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// A finding is a mark, what it is about, and a sentence.
var finding = regexp.MustCompile(`^\[(ok|note|FAIL)\] +\S.*$`)

func TestDoctorTellsWhatWorks(t *testing.T) {
	needRoot(t)
	p := run(t, "doctor")
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d on a host that can be scanned:\n%s%s", code, p.stdout.String(), p.stderr.String())
	}
	out := p.stdout.String()
	for _, line := range strings.Split(strings.TrimRight(out, "\n"), "\n") {
		if !finding.MatchString(line) {
			t.Errorf("line %q is no finding", line)
		}
	}
	for _, want := range []string{"kernel", "Landlock", "task iterator", "serving", "PID namespace", "scan", "compared to procfs", "--web.listen-address"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing about %q in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "[FAIL]") {
		t.Errorf("a failure on a host that can be scanned:\n%s", out)
	}
}

func TestDoctorTellsWhatDoesNot(t *testing.T) {
	needRoot(t)
	p := launch(t, nil, self, roleArg, "hidebtf", landlockd, "doctor")
	if code := p.wait(t); code != 1 {
		t.Errorf("exit code %d without type information, want 1", code)
	}
	if out := p.stdout.String(); !strings.Contains(out, "[FAIL] task iterator") || !strings.Contains(out, "CONFIG_DEBUG_INFO_BTF") {
		t.Errorf("without type information it says:\n%s", out)
	}
	if e := p.stderr.String(); e != "" {
		t.Errorf("and on standard error, where it has been said already: %q", e)
	}
}
