// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestExplainThread: the number of a thread stands for its process, and is said to be one.
func TestExplainThread(t *testing.T) {
	testenv.NeedRoot(t)
	pid := stay(t, true, self, roleArg, "partial").cmd.Process.Pid
	process := takeSnapshot(t).find(pid)
	if process == nil || len(process.Tasks) < 2 {
		t.Fatalf("process %d has no threads: %+v", pid, process)
	}
	tid := process.Tasks[len(process.Tasks)-1].TID
	p := run(t, "explain", fmt.Sprint(tid))
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, &p.stderr)
	}
	wants(t, p.stdout.String(), fmt.Sprintf("Process %d (", pid))
	wants(t, p.stderr.String(), fmt.Sprintf("%d is a thread of process %d, which is explained", tid, pid))

	// A judgement is not moved from one number to another.
	p = run(t, "check", fmt.Sprintf("--pid=%d", tid), "--expect=state=sandboxed")
	if code := p.wait(t); code != 3 {
		t.Errorf("check: exit code %d: %s", code, &p.stdout)
	}
	wants(t, p.stderr.String(), fmt.Sprintf("%d is a thread of process %d: give that PID", tid, pid))

	// A recorded snapshot leaves out threads that are alike, as those of landlockd.
	file := write(t, filepath.Join(t.TempDir(), "host.json"), run(t, "once", "--format=json").stdout.String(), 0o644)
	p = run(t, "explain", "--snapshot="+file, "2147483647")
	if code := p.wait(t); code != 3 {
		t.Errorf("recorded: exit code %d: %s", code, &p.stdout)
	}
	wants(t, p.stderr.String(), "it may be one of the threads that a snapshot leaves out")
}
