// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// checkReader checks, from outside, that a daemon has no capability, and that the process
// that reads for it has CAP_SYS_PTRACE at most, and nothing else to use it with. It returns
// that process.
func checkReader(t *testing.T, d *daemon, ptrace bool) int {
	t.Helper()
	held := "0000000000000000"
	if ptrace {
		held = "0000000000080000" // 1 << CAP_SYS_PTRACE
	}
	return checkBeside(t, d, held, "landlockd-read")
}

// withReader has a daemon run on what looks like a kernel without Landlock: its reader
// needs no attribute there.
func withReader(t *testing.T) daemonOptions {
	t.Helper()
	return daemonOptions{
		prefix: []string{self, roleArg, "nolandlock", "not_built"},
		args:   []string{withoutLandlock(t, "[none] integrity confidentiality"), "--scan.min-interval=0s"},
	}
}

func startWithReader(t *testing.T) *daemon {
	t.Helper()
	return startDaemon(t, withReader(t))
}

// A reader that does not answer delays scrapes until their time is over, and nothing else;
// a late answer is no other scrape's. Signals that service managers send to all processes
// of a unit are the serving stage's to obey.
func TestReaderThatHangs(t *testing.T) {
	testenv.NeedRoot(t)
	d := startWithReader(t)
	d.scrape(t).has(t, "landlockd_scan_success", 1)
	pid := besideOf(t, d)
	kill := func(s unix.Signal) {
		if err := unix.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
		kill(s)
		d.scrape(t).has(t, "landlockd_scan_success", 1)
	}
	halt(t, pid)
	defer func() { _ = unix.Kill(pid, unix.SIGCONT) }()
	for range 3 {
		_, body := d.do(t, http.MethodGet, "/metrics", "X-Prometheus-Scrape-Timeout-Seconds", "1")
		m := parseMetrics(t, body)
		m.has(t, "landlockd_scan_success", 0)
		if _, stale := m["landlock_enabled"]; stale {
			t.Error("it serves facts of an earlier scan")
		}
	}
	if status, _ := d.try("/-/healthy"); status != http.StatusOK {
		t.Errorf("/-/healthy: %d", status)
	}
	kill(unix.SIGCONT)
	for range 3 {
		d.scrape(t).has(t, "landlockd_scan_success", 1)
	}
	d.stop(t)
	eventually(t, "the reader ends with the daemon", func() bool { return unix.Kill(pid, 0) != nil })
	checkBesideRefusals(t, pid)
}

// Without its reader the serving stage cannot go on, and cannot start another: it ends, so
// that the service manager does. A serving stage that ends takes its reader with it, however
// it ends.
func TestReaderThatEnds(t *testing.T) {
	testenv.NeedRoot(t)
	d := startWithReader(t)
	if err := unix.Kill(besideOf(t, d), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, _ = d.try("/metrics")
	if code := d.wait(t); code != exitFailure || !strings.Contains(d.stderr.String(), "must be started again") {
		t.Errorf("code %d: %s", code, &d.stderr)
	}
	d = startWithReader(t)
	pid := besideOf(t, d)
	d.signal(t, unix.SIGKILL)
	eventually(t, "the reader ends", func() bool { return unix.Kill(pid, 0) != nil })
}
