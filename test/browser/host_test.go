// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/sandbox"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/vm"
)

// daemon is a landlockd that serves.
type daemon struct{ program, socket, config, address string }

// as has a program run as a user with a group of the same number.
func as(uid uint32, cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &unix.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

// start starts a program, which is killed with the test if it has not ended.
func start(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// startDaemon builds landlockd and starts it.
func startDaemon(t *testing.T) *daemon {
	t.Helper()
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	d := &daemon{
		filepath.Join(dir, "landlockd"), filepath.Join(dir, "socket"), filepath.Join(dir, "rules.yml"),
		testenv.FreeAddress(t),
	}
	if err := vm.GoBuild(t.Context(), "../..", runtime.GOARCH, d.program, "./cmd/landlockd"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.config, []byte("rules: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(d.program, "serve", "--api.socket="+d.socket, "--config.file="+d.config,
		"--web.listen-address="+d.address))
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("unix", d.socket)
		if err == nil {
			c.Close()
			return d
		}
		if time.Since(begin) > hangs {
			t.Fatal(err)
		}
	}
}

// served is a landlockd ui.
type served struct {
	*exec.Cmd
	address string
}

// interval is that between two looks.
const interval = 500 * time.Millisecond

// startUI starts landlockd ui, as a user.
func (d *daemon) startUI(t *testing.T, uid uint32, socket string) *served {
	t.Helper()
	cmd := as(uid, exec.Command(d.program, "ui", socket, "--config.file="+d.config,
		"--interval="+interval.String()))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	return &served{cmd, line(t, out)}
}

func (u *served) end(t *testing.T) {
	t.Helper()
	if err := u.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := u.Wait(); err != nil {
		t.Errorf("landlockd ui: %v", err)
	}
}

func line(t *testing.T, from io.Reader) string {
	t.Helper()
	s := bufio.NewScanner(from)
	if !s.Scan() {
		t.Fatalf("a program printed nothing: %v", s.Err())
	}
	return s.Text()
}

// victim is a process with a name that is meant to act, which sandboxes itself when it is asked to.
type victim struct {
	pid int
	in  io.Writer
	out io.Reader
}

const victimEnv = "LANDLOCKD_TEST_VICTIM"

func startVictim(t *testing.T) *victim {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "\u202e<img src=x onerror=alert(1)>\x1b[2J\n")
	program, err := os.ReadFile("/bin/cat")
	if err == nil {
		err = os.WriteFile(name, program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), victimEnv+"="+name)
	v := &victim{}
	if v.in, err = cmd.StdinPipe(); err == nil {
		v.out, err = cmd.StdoutPipe()
	}
	if err != nil {
		t.Fatal(err)
	}
	v.pid = start(t, cmd).Process.Pid
	return v
}

// enter has the victim sandbox itself, and waits until it did.
func (v *victim) enter(t *testing.T) {
	t.Helper()
	fmt.Fprintln(v.in, "now")
	fmt.Fprintln(v.in, "echo")
	if got := line(t, v.out); got != "echo" {
		t.Fatalf("the victim says %q", got)
	}
}

// beVictim sandboxes this process when a line comes, and executes the program that a variable
// names: cat(1), which then answers.
func beVictim(name string) error {
	runtime.LockOSThread()
	var b [1]byte
	for b[0] != '\n' { // no more than the line
		if _, err := os.Stdin.Read(b[:]); err != nil {
			return err
		}
	}
	if err := sandbox.Harmless(1).Enter(); err != nil {
		return err
	}
	return unix.Exec(name, []string{name}, nil)
}
