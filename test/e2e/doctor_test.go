// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// A finding is a mark, what it is about, and a sentence.
var finding = regexp.MustCompile(`^\[(ok|note|FAIL)\] +\S.*$`)

func TestDoctorShowsWhatWorks(t *testing.T) {
	testenv.NeedRoot(t)
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
	for _, want := range []string{"kernel", "Landlock", "rights", "errata", "task iterator", "serving", "PID namespace", "scan", "compared to procfs", "--web.listen-address"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing about %q in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "[FAIL]") {
		t.Errorf("a failure on a host that can be scanned:\n%s", out)
	}
}

// What a user may send to strangers: the kernel, and nothing of the host.
func TestDoctorReport(t *testing.T) {
	testenv.NeedRoot(t)
	p := run(t, "doctor", "--report")
	out := p.stdout.String()
	for _, want := range []string{"landlock_cred_security: ", "landlock_hierarchy: ", "parent+0", "lsm: ", "lockdown: "} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing about %q in:\n%s", want, out)
		}
	}
	name, err := os.Hostname()
	if err == nil && len(name) > 3 && strings.Contains(out, name) {
		t.Errorf("the host's name is in:\n%s", out)
	}
	for _, pr := range takeSnapshot(t).Processes {
		if pr.Exe != nil && len(*pr.Exe) > 1 && strings.Contains(out, *pr.Exe) {
			t.Errorf("the path %s is in:\n%s", *pr.Exe, out)
		}
	}
}

// Without privilege that alone is what is wrong: nothing is known of the kernel.
func TestDoctorWithoutPrivilege(t *testing.T) {
	testenv.NeedRoot(t)
	p := runWith(t, asNobody(), "doctor")
	if code := p.wait(t); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	out := p.stdout.String()
	if !strings.Contains(out, "[FAIL] privilege          missing CAP_BPF and CAP_PERFMON: ") ||
		strings.Count(out, "[FAIL]") != 1 {
		t.Errorf("as nobody:\n%s", out)
	}
}

func TestDoctorShowsWhatDoesNot(t *testing.T) {
	testenv.NeedRoot(t)
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
