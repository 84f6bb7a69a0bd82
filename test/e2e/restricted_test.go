// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/test/testenv"
)

// TestRestricts: a sandbox that handles everything and allows everything on /
// restricts nothing, for rules as for metrics.
func TestRestricts(t *testing.T) {
	testenv.NeedRoot(t)
	const all, refer = readFile | writeFile | makeReg, int(access.Refer)
	// The kernel lets no sandbox on files rename into other directories that does
	// not say so: that right is restricted.
	hollow := countedBox(t, fmt.Sprintf("fs=%#x,below=%#x:/", all, all), 0, 0)
	checks(t, 1, "check", fmt.Sprintf("--pid=%d", hollow.pid), "--expect=restricts=fs.read_file")
	countedBox(t, fmt.Sprintf("fs=%#x,below=%#x:/", all|refer, all|refer), 0, 1)

	// All below / but what / itself is: a rule on anything less restricts.
	below := fmt.Sprintf("fs=%#x", all)
	for _, dir := range []string{"/usr", "/lib", "/lib64", "/etc", "/dev"} {
		below += fmt.Sprintf(",below=%#x:%s", all, dir)
	}
	tight := countedBox(t, below, 1, 0)
	checks(t, 0, "check", fmt.Sprintf("--pid=%d", tight.pid), "--expect=restricts=fs.read_file")

	p := run(t, "once", "--no-collector.rights", "--no-collector.hardening")
	p.wait(t)
	for _, name := range []string{"landlock_processes_restricted", "landlock_processes_hardened"} {
		if strings.Contains(p.stdout.String(), name) {
			t.Errorf("%s is there although it was left out", name)
		}
	}
}

// countedBox returns a boxed shell that is counted as one more that restricts
// reading, or that is ineffective. Others' processes come and go meanwhile: a
// difference that is not the shell's does not come again and again.
func countedBox(t *testing.T, box string, reads, ineffective float64) *boxedShell {
	t.Helper()
	differences := ""
	for range 8 {
		before := onceMetrics(t)
		shell := newBoxedShell(t, box)
		after := onceMetrics(t)
		more := func(name string) float64 { return after[name] - before[name] }
		gotReads := more(`landlock_processes_restricted{right="fs.read_file"}`)
		gotIneffective := more("landlock_processes_ineffective")
		if gotReads == reads && gotIneffective == ineffective {
			return shell
		}
		differences += fmt.Sprintf(" %v and %v", gotReads, gotIneffective)
	}
	t.Fatalf("%s: more that restrict reading, and ineffective ones:%s; want %v and %v", box, differences, reads, ineffective)
	return nil
}

// onceMetrics is what one scan exports beside workloads.
func onceMetrics(t *testing.T) metrics {
	t.Helper()
	p := run(t, "once", "--no-collector.workloads")
	if code := p.wait(t); code != 0 {
		t.Fatalf("once: exit code %d: %s", code, &p.stderr)
	}
	promtool(t, p.stdout.String())
	return parseMetrics(t, p.stdout.String())
}
