// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// readerOf returns the PID of the process that reads the attribute for a daemon.
func readerOf(t *testing.T, d *daemon) int {
	t.Helper()
	pid := readerOrNone(d)
	if pid == 0 {
		t.Fatalf("no process reads for the daemon: %s", &d.stderr)
	}
	return pid
}

func readerOrNone(d *daemon) (pid int) {
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", d.cmd.Process.Pid)) // the pattern is good
	for _, path := range children {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // the thread ended
		}
		_, _ = fmt.Sscan(string(b), &pid)
	}
	return pid
}

// checkReader checks, from outside, that a daemon has no capability, and that the process
// that reads for it has CAP_SYS_PTRACE at most, and nothing else to use it with. It returns
// that process.
func checkReader(t *testing.T, d *daemon, ptrace bool) int {
	t.Helper()
	pid := readerOf(t, d)
	const none, one = "0000000000000000", "0000000000080000" // 1 << CAP_SYS_PTRACE
	held := none
	if ptrace {
		held = one
	}
	if got := statusLine(t, fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid), "CapPrm"); got != none {
		t.Errorf("the serving stage has capabilities %s", got)
	}
	dir := fmt.Sprintf("/proc/%d", pid)
	threads, err := filepath.Glob(dir + "/task/*/status")
	if err != nil || len(threads) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	uid := statusLine(t, fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid), "Uid")
	for _, f := range threads {
		for key, want := range map[string]string{
			"Uid": uid, "CapPrm": held, "CapEff": held, "CapInh": held, "CapAmb": held,
			"NoNewPrivs": "1", "Seccomp": "2", "Groups": "",
		} {
			if got := statusLine(t, f, key); got != want {
				t.Errorf("%s: %s is %q, want %q", f, key, got, want)
			}
		}
	}
	if got := statusLine(t, dir+"/status", "Name"); got != "landlockd-read" {
		t.Errorf("the reader is called %q", got)
	}
	if d.cmd.SysProcAttr == nil { // started as root: it has no network
		ours, err1 := os.Readlink("/proc/self/ns/net")
		theirs, err2 := os.Readlink(dir + "/ns/net")
		if err1 != nil || err2 != nil || ours == theirs {
			t.Errorf("the reader is in network namespace %s, as this process is (%v, %v)", theirs, err1, err2)
		}
	}
	var st unix.Stat_t
	if err := unix.Stat(dir+"/environ", &st); err != nil || st.Uid != 0 {
		t.Errorf("dumpable: %s/environ belongs to %d (%v)", dir, st.Uid, err)
	}
	fds, err := filepath.Glob(dir + "/fd/*")
	if err != nil || len(fds) < 4 {
		t.Fatalf("descriptors: %v, %v", fds, err)
	}
	sockets := 0
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		if strings.HasPrefix(to, "socket:") {
			sockets++
		}
	}
	if sockets != 1 {
		t.Errorf("the reader has %d sockets", sockets)
	}
	return pid
}

// checkReaderRefusals fails a test if a reader, which has ended, was refused a call that it
// needs.
func checkReaderRefusals(t *testing.T, pid int) {
	t.Helper()
	for call, n := range refused.of(t, pid) {
		t.Errorf("the reader was refused system call %d %d times: see checkRefusals", call, n)
	}
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
	pid := readerOf(t, d)
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
	checkReaderRefusals(t, pid)
}

// Without its reader the serving stage cannot go on, and cannot start another: it ends, so
// that the service manager does. A serving stage that ends takes its reader with it, however
// it ends.
func TestReaderThatEnds(t *testing.T) {
	testenv.NeedRoot(t)
	d := startWithReader(t)
	if err := unix.Kill(readerOf(t, d), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, _ = d.try("/metrics")
	if code := d.wait(t); code != exitFailure || !strings.Contains(d.stderr.String(), "must be started again") {
		t.Errorf("code %d: %s", code, &d.stderr)
	}
	d = startWithReader(t)
	pid := readerOf(t, d)
	d.signal(t, unix.SIGKILL)
	eventually(t, "the reader ends", func() bool { return unix.Kill(pid, 0) != nil })
}
