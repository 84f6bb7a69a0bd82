// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// besideOf returns the PID of the process beside the one that serves.
func besideOf(t *testing.T, d *daemon) int {
	t.Helper()
	pid := besideOrNone(d)
	if pid == 0 {
		t.Fatalf("there is no process beside the daemon: %s", &d.stderr)
	}
	return pid
}

func besideOrNone(d *daemon) (pid int) {
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

// checkBeside checks, from outside, that a daemon has no capability, and that the process
// beside it has those that are held, a name, and nothing else to use them with. It returns
// that process.
func checkBeside(t *testing.T, d *daemon, held, name string) int {
	t.Helper()
	pid := besideOf(t, d)
	const none = "0000000000000000"
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
	if got := statusLine(t, dir+"/status", "Name"); got != name {
		t.Errorf("it is called %q", got)
	}
	if d.cmd.SysProcAttr == nil { // started as root: it has no network
		ours, err1 := os.Readlink("/proc/self/ns/net")
		theirs, err2 := os.Readlink(dir + "/ns/net")
		if err1 != nil || err2 != nil || ours == theirs {
			t.Errorf("it is in network namespace %s, as this process is (%v, %v)", theirs, err1, err2)
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
		t.Errorf("it has %d sockets", sockets)
	}
	return pid
}

// checkBesideRefusals fails a test if such a process, which has ended, was refused a call that
// it needs.
func checkBesideRefusals(t *testing.T, pid int) {
	t.Helper()
	for call, n := range refused.of(t, pid) {
		t.Errorf("it was refused system call %d %d times: see checkRefusals", call, n)
	}
}
