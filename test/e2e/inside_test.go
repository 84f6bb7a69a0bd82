// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/attack/inside"
	"github.com/landlockd/landlockd/test/testenv"
)

// startAttacked starts a debug build whose serving stage attacks when it gets SIGUSR1: this
// test's process, which is root's, and another one of its own user.
func startAttacked(t *testing.T, program, abi string, args ...string) (d *daemon, same *process) {
	t.Helper()
	uid, err := strconv.Atoi(servingUID(t))
	if err != nil {
		t.Fatal(err)
	}
	same = launch(t, func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}, "sleep", "1000")
	d = startDaemon(t, daemonOptions{
		binary: program, args: append(args, "--confine=require"),
		change: func(c *exec.Cmd) { c.Args[0] = inside.Name(os.Getpid(), same.cmd.Process.Pid, abi) },
	})
	d.attacked = true
	return d, same
}

func buildAttacked(t *testing.T) string {
	t.Helper()
	program := filepath.Join(testenv.PublicDir(t), "landlockd")
	if err := build(program, "CGO_ENABLED=0", "GOFLAGS=-tags=attack"); err != nil {
		t.Fatal(err)
	}
	return program
}

// checkAttack has a process attack, which prints to a daemon's log, and checks what came of
// it. Attacks that may succeed are named.
func checkAttack(t *testing.T, d *daemon, pid int, may ...string) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	var report inside.Report
	eventually(t, "it has attacked", func() (ok bool) {
		if d.ended() {
			t.Fatalf("it ended: %s", &d.stderr)
		}
		var err error
		if report, ok, err = inside.Parse(d.stderr.String()); err != nil {
			t.Fatal(err)
		}
		return ok
	})
	for _, problem := range inside.Problems(report, may...) {
		t.Error(problem)
	}
	filtered := refused.of(t, pid)
	for call, must := range inside.Filtered(may...) {
		if must && filtered[call] == 0 {
			t.Errorf("no filter refused call %d: whatever did may not do so elsewhere", call)
		}
	}
}

// TestInside attacks from within the serving process, on each kind of thread: each attack
// is refused as it must be, by the filter where it is to be that, and landlockd serves on.
func TestInside(t *testing.T) {
	testenv.NeedRoot(t)
	program := buildAttacked(t)
	// Rules about command lines open /proc: what they do not read there stays closed.
	rules := newConfig(t, "rules: [{name: none, match: {cmdline: ['no such']}}]\n")
	wide, _ := startAttacked(t, program, "", rules.flag())
	checkAttack(t, wide, wide.cmd.Process.Pid, "read /proc", "read /proc/1/status", "read /proc/SAME/fd")
	wide.stop(t)

	d, same := startAttacked(t, program, "")
	checkAttack(t, d, d.cmd.Process.Pid)
	if same.ended() {
		t.Error("the other process of its user has ended")
	}
	problems, err := inside.Privileges(d.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Error(problem)
	}
	checkServingStage(t, d, servingUID(t))
	d.stop(t)
}

// TestInsideReader: neither may the process that reads the attribute, though its
// capability lets it read what it likes.
func TestInsideReader(t *testing.T) {
	testenv.NeedRoot(t)
	name := inside.Name(os.Getpid(), os.Getpid(), "")
	d := startDaemon(t, daemonOptions{
		binary: buildAttacked(t), args: []string{withoutLandlock(t, "[none] integrity confidentiality")},
		prefix: []string{
			self, roleArg, "nolandlock", "not_built",
			testenv.NeedTool(t, "bash"), "-c", `exec -a "$0" "$@"`, name,
		},
	})
	checkAttack(t, d, besideOf(t, d), inside.Reads()...)
	d.scrape(t).has(t, "landlockd_scan_success", 1)
	d.stop(t)
}

// TestInsideByAnotherABI: the process ends, before the call means something.
func TestInsideByAnotherABI(t *testing.T) {
	testenv.NeedRoot(t)
	program := buildAttacked(t)
	for _, abi := range inside.Foreign() {
		d, _ := startAttacked(t, program, abi)
		d.signal(t, syscall.SIGUSR1)
		d.wait(t)
		status, _ := d.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signal() != syscall.SIGSYS {
			t.Errorf("%s: %s, want SIGSYS: %s", abi, d.cmd.ProcessState, &d.stderr)
		}
	}
}

// TestInsideIsNotShipped: the program has nothing of the debug build.
func TestInsideIsNotShipped(t *testing.T) {
	for tags, want := range map[string]bool{"": false, "attack": true} {
		out, err := exec.Command("go", "list", "-deps", "-tags="+tags, "github.com/landlockd/landlockd/cmd/landlockd").Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(out), "github.com/landlockd/landlockd/test/"); got != want {
			t.Errorf("with the tags %q the program has packages of tests: %v", tags, got)
		}
	}
}
