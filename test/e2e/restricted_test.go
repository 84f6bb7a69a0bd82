// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestRestricts: a sandbox that handles everything and allows everything on /
// restricts nothing, for rules as for metrics.
func TestRestricts(t *testing.T) {
	needRoot(t)
	const all = readFile | writeFile | makeReg
	sample := `landlock_processes_restricted{right="fs.read_file"} `
	count := func() string {
		p := run(t, "once", "--no-collector.workloads")
		if code := p.wait(t); code != 0 {
			t.Fatalf("once: exit code %d: %s", code, &p.stderr)
		}
		promtool(t, p.stdout.String())
		for line := range strings.Lines(p.stdout.String()) {
			if value, found := strings.CutPrefix(line, sample); found {
				return strings.TrimSpace(value)
			}
		}
		t.Fatalf("no %s:\n%s", sample, &p.stdout)
		return ""
	}
	before := count()
	hollow := newBoxedShell(t, fmt.Sprintf("fs=%#x,below=%#x:/", all, all))
	if got := count(); got != before {
		t.Errorf("a sandbox that allows all of / changes %s from %s to %s", sample, before, got)
	}
	checks(t, 1, "check", fmt.Sprintf("--pid=%d", hollow.pid), "--expect=restricts=fs.read_file")

	// All below / but what / itself is: a rule on anything less restricts.
	tight := newBoxedShell(t, fmt.Sprintf("fs=%#x,below=%#x:/usr,below=%#x:/lib,below=%#x:/lib64,below=%#x:/etc,below=%#x:/dev", all, all, all, all, all, all))
	if got, want := count(), fmt.Sprint(atoi(t, before)+1); got != want {
		t.Errorf("a sandbox that restricts makes it %s, want %s", got, want)
	}
	checks(t, 0, "check", fmt.Sprintf("--pid=%d", tight.pid), "--expect=restricts=fs.read_file")

	p := run(t, "once", "--no-collector.rights", "--no-collector.hardening")
	p.wait(t)
	for _, name := range []string{"landlock_processes_restricted", "landlock_processes_hardened"} {
		if strings.Contains(p.stdout.String(), name) {
			t.Errorf("%s is there although it was left out", name)
		}
	}
}

func atoi(t *testing.T, text string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}
