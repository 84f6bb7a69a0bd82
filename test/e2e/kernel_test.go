// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// checkUnreadable checks what a daemon serves on a kernel that it cannot read.
func checkUnreadable(t *testing.T, d *daemon, reason, hint string) {
	t.Helper()
	for range 3 { // and it stays so
		m := d.scrape(t)
		m.has(t, "landlockd_scan_success", 0)
		m.has(t, `landlockd_source_available{reason="`+reason+`",source="taskiter"}`, 0)
		m.has(t, `landlockd_confined{mechanism="landlock"}`, 1)
		m.has(t, "landlockd_last_scan_timestamp_seconds", 0)
		if facts := m.facts(); len(facts) > 0 {
			t.Errorf("facts of a kernel that was not read: %v", facts)
		}
	}
	for _, path := range []string{"/-/healthy", "/-/ready", "/"} {
		if status, body := d.try(path); status != http.StatusOK {
			t.Errorf("%s: %d: %s", path, status, body)
		}
	}
	// At the start, and at most once more by the first scrape, however many follow.
	if n := strings.Count(d.stderr.String(), hint); n != 1 && n != 2 {
		t.Errorf("the log says %q %d times: %s", hint, n, &d.stderr)
	}
	_, body := d.do(t, http.MethodGet, "/metrics")
	promtool(t, body)
	d.stop(t)
}

// checkOnceFails checks what a command does on a kernel that it cannot read.
func checkOnceFails(t *testing.T, reason, text string, prefix []string, flags ...string) {
	t.Helper()
	for _, args := range [][]string{{"once"}, {"once", "--format=json"}, {"tree"}, {"tree", "--domains"}} {
		p := launch(t, nil, slices.Concat(prefix, []string{landlockd}, args, flags)...)
		p.wait(t)
		if len(args) == 1 && args[0] == "once" {
			m := parseMetrics(t, p.stdout.String())
			promtool(t, p.stdout.String())
			m.has(t, "landlockd_scan_success", 0)
			m.has(t, `landlockd_source_available{reason="`+reason+`",source="taskiter"}`, 0)
			if facts := m.facts(); len(facts) > 0 {
				t.Errorf("facts of a kernel that was not read: %v", facts)
			}
			p.stdout = testenv.Output{}
		}
		checkRefusal(t, p, exitFailure, text)
	}
}

func TestKernelWithoutBTF(t *testing.T) {
	testenv.NeedRoot(t)
	hide := []string{self, roleArg, "hidebtf"}
	d := startDaemon(t, daemonOptions{prefix: hide})
	checkUnreadable(t, d, "no_btf", "CONFIG_DEBUG_INFO_BTF")
	checkOnceFails(t, "no_btf", "CONFIG_DEBUG_INFO_BTF", hide)
}

func TestKernelLockedDown(t *testing.T) {
	testenv.NeedRoot(t)
	sysfs := testenv.PublicDir(t)
	dir := filepath.Join(sysfs, "kernel/security")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "lockdown"), "none integrity [confidentiality]\n", 0o644)
	flag := "--path.sysfs=" + sysfs
	d := startDaemon(t, daemonOptions{args: []string{flag}})
	checkUnreadable(t, d, "lockdown", "lockdown=integrity")
	checkOnceFails(t, "lockdown", "confidentiality", nil, flag)

	write(t, filepath.Join(dir, "lockdown"), "none [integrity] confidentiality\n", 0o644)
	startDaemon(t, daemonOptions{args: []string{flag}}).scrape(t).has(t, "landlockd_scan_success", 1)
}
