// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/attack/inside"
	"github.com/landlockd/landlockd/test/netns"
)

// attacked is where the host puts the debug build that attacks from within.
const attacked = "/bin/landlockd-attack"

// checkInside attacks from within the serving process: each attack is refused as it must
// be on every kernel, and none of its threads has a privilege. A call by another ABI of the
// machine ends the process.
func checkInside(t *T) {
	t.Must(netns.LoopbackUp())
	t.Must(os.MkdirAll("/etc", 0o755))
	t.Must(os.WriteFile("/etc/shadow", nil, 0o600))
	t.Must(os.WriteFile("/etc/passwd", nil, 0o644))
	same, err := newSleeper(asNobodyCommand(0, "sleep"))
	t.Must(err)
	t.Cleanup(same.stop)
	d := startAttacked(t, same.pid, "")
	var report inside.Report
	for end := time.Now().Add(daemonTime); ; time.Sleep(100 * time.Millisecond) {
		r, ok, err := inside.Parse(d.text())
		t.Must(err)
		if report = r; ok {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it does not report; it says:\n%s", d.text())
		}
	}
	problems := inside.Problems(report)
	threads, err := inside.Privileges(d.cmd.Process.Pid)
	t.Must(err)
	for _, problem := range append(problems, threads...) {
		t.Errorf("%s", problem)
	}
	p := scanOnce(t, openIterator(t)).Find(int32(d.cmd.Process.Pid))
	if p == nil || p.State != scan.Sandboxed {
		t.Errorf("its threads are not all in a domain: %+v", p)
	}
	d.stop(t)
	t.Must(unix.Kill(same.pid, 0))
	t.Fact("refused", inside.Count(report))
	for _, abi := range inside.Foreign() {
		d := startAttacked(t, same.pid, abi)
		_ = d.cmd.Wait()
		if status := d.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGSYS {
			t.Errorf("a call by the ABI %s: %s, want SIGSYS; it says:\n%s", abi, d.cmd.ProcessState, d.text())
		}
	}
}

// startAttacked starts the debug build, and its attack.
func startAttacked(t *T, same int, abi string) *running {
	d := daemonCommand(attacked)
	d.cmd.Args[0] = inside.Name(os.Getpid(), same, abi)
	d.start(t).scrape(t)
	t.Must(d.cmd.Process.Signal(unix.SIGUSR1))
	return d
}
