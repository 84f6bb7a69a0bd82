// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// patience is how long what must come is waited for: what hangs never comes.
const patience = 5 * time.Minute

// process is a program that ends with its standard input. It has a session of its own, as each
// service has and whoever logs in, and with it a fair share of the processors: the kernel's
// autogroups.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	output testenv.Output
	done   chan struct{}
}

// start starts a program, which ends with the test at the latest.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.cmd.WaitDelay = time.Second // a child of its own may have the output open
	in, err := p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = in
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // what came of it is in ProcessState
	}()
	t.Cleanup(p.end)
	return p
}

// startAs starts a program as a user, and waits until it, or a child that it leaves that to,
// is ready. It reports whether this kernel has what the program needs.
func startAs(t *testing.T, uid string, args ...string) (*process, bool) {
	t.Helper()
	p := start(t, append([]string{
		testenv.NeedTool(t, "setpriv"), "--reuid=" + uid, "--regid=" + uid, "--clear-groups",
	}, args...)...)
	const lacking = 77
	await(t, strings.Join(args, " ")+" is ready", func() bool {
		return strings.Contains(p.output.String(), "ready\n") ||
			p.ended() && p.cmd.ProcessState.ExitCode() == lacking
	})
	return p, strings.Contains(p.output.String(), "ready\n")
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end ends a program as it is to end, or with all its group where it does not.
func (p *process) end() {
	p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(3 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// explain asks the daemon for a process as root, and returns what is said of it.
func (a *arena) explain(t *testing.T, pid int) string {
	t.Helper()
	// Beside a fork storm it gets a fiftieth of the processors.
	const longest = 2 * patience
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	out, err := exec.CommandContext(ctx, a.landlockd, "explain", "--api.socket="+a.daemon.socket,
		"--timeout="+longest.String(), "--no-paths", strconv.Itoa(pid)).CombinedOutput()
	const notAll = 3 // where a look at its files takes too long
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != notAll) {
		t.Errorf("explain %d: %v: %s", pid, err, out)
	}
	return string(out)
}

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("it did not come to pass that %s", what)
}
