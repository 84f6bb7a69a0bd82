// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// patience is how long a test waits for what must come. Nothing is asserted of
// how long it takes.
const patience = time.Minute

// process is a running program of a test. It ends with the test.
type process struct {
	cmd            *exec.Cmd
	stdin          io.Closer // of those that stay
	stdout, stderr testenv.Output
	done           chan struct{}
	attacked       bool // it makes system calls that must be refused
}

// launch starts a program; change may alter the command first.
func launch(t testing.TB, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Env = cleanEnv()
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.WaitDelay = patience
	if change != nil {
		change(p.cmd)
	}
	// A group of its own, so that what it started goes with it.
	if p.cmd.SysProcAttr == nil {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	p.cmd.SysProcAttr.Setpgid = true
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %q: %v", args, err)
	}
	if refused != nil {
		refused.forget(p.cmd.Process.Pid)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // what came of it is in ProcessState
	}()
	t.Cleanup(func() {
		if !p.ended() {
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		}
		<-p.done
		if refused != nil && !p.attacked {
			checkRefusals(t, p)
		}
	})
	return p
}

// cleanEnv is this process's environment without what changes landlockd.
func cleanEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LANDLOCKD_STAGE", "LC_ALL", "LC_CTYPE", "LANG":
		default:
			env = append(env, v)
		}
	}
	return env
}

// wait waits for the end and returns the exit code; -1 if a signal ended it.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%q did not end\nstdout: %s\nstderr: %s", p.cmd.Args, &p.stdout, &p.stderr)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// run runs landlockd to its end.
func run(t testing.TB, args ...string) *process {
	t.Helper()
	return runWith(t, nil, args...)
}

func runWith(t testing.TB, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := launch(t, change, append([]string{landlockd}, args...)...)
	p.wait(t)
	return p
}

// stay starts a program that reads its standard input until that ends. If it
// says "ready" first, that is waited for.
func stay(t testing.TB, ready bool, args ...string) *process {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := launch(t, func(c *exec.Cmd) { c.Stdin = out }, args...)
	p.stdin = in
	// Before the process is killed: its children end with their input, too.
	t.Cleanup(func() { in.Close() })
	if ready {
		eventually(t, "it is ready", func() bool {
			line, _ := bufio.NewReader(strings.NewReader(p.stdout.String())).ReadString('\n')
			return line == "ready\n" || p.ended()
		})
		if p.ended() {
			t.Fatalf("%q ended: %s", args, &p.stderr)
		}
	}
	return p
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	if !becomes(holds) {
		t.Fatalf("it did not come to pass that %s", what)
	}
}

// becomes polls until a condition holds, and reports whether it did in time.
func becomes(holds func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}
