// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// hangingSysfs returns a directory in the place of sysfs, where to read a file that every
// command reads never ends.
func hangingSysfs(t *testing.T) string {
	t.Helper()
	sysfs := t.TempDir()
	security := filepath.Join(sysfs, "kernel/security")
	if err := os.MkdirAll(security, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lockdown", "lsm"} {
		if err := unix.Mkfifo(filepath.Join(security, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return sysfs
}

// Every command that looks at this host ends, though what it reads hangs, and says so.
func TestCommandsEndInTime(t *testing.T) {
	testenv.NeedRoot(t)
	rules := newConfig(t, "rules: [{name: one, match: {unit: [none.service]}}]\n").flag()
	flags := []string{"--path.sysfs=" + hangingSysfs(t), "--timeout=300ms"}
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"services"}, exitFailure},
		{[]string{"ps"}, exitFailure},
		{[]string{"tree"}, exitFailure},
		{[]string{"doctor"}, exitFailure},
		{[]string{"rules", "suggest"}, exitFailure},
		{[]string{"once", "--format=json"}, exitFailure},
		{[]string{"check", rules}, exitUndecided},
		{[]string{"check", "--pid=1", "--expect=state=sandboxed"}, exitUndecided},
		{[]string{"explain", "1"}, exitUndecided},
	} {
		p := run(t, append(c.args, flags...)...)
		checkRefusal(t, p, c.code, "takes longer than --timeout=300ms", "try again")
	}
	p := run(t, append([]string{"check", rules, "-o", "nagios"}, flags...)...)
	text := p.stdout.String()
	if code := p.wait(t); code != 3 || !strings.Contains(text, "UNKNOWN") ||
		!strings.Contains(text, "--timeout=300ms") {
		t.Errorf("as a plugin of Nagios: exit code %d: %s", code, text)
	}
}

// Whoever collects the file learns that there is no result.
func TestOnceEndsInTime(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	path := filepath.Join(dir, "landlockd.prom")
	if code := run(t, "once", "--textfile="+path).wait(t); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	flags := []string{"once", "--path.sysfs=" + hangingSysfs(t), "--timeout=300ms"}
	checkRefusal(t, run(t, append(flags, "--textfile="+path)...), exitFailure, "--timeout=300ms")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := parseMetrics(t, string(text))
	m.has(t, "landlockd_scan_success", 0)
	if facts := m.facts(); len(facts) > 0 {
		t.Errorf("facts without a scan: %v", facts)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
