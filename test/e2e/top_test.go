// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// pane is a shell in tmux, a terminal of 80 columns and 24 lines.
type pane struct {
	tmux, socket, dir string
}

func newPane(t *testing.T) *pane {
	t.Helper()
	x := &pane{testenv.NeedTool(t, "tmux"), "", t.TempDir()}
	x.socket = filepath.Join(x.dir, "tmux")
	x.do(t, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24",
		"env", "LC_ALL=C.UTF-8", "PS1=$ ", "sh")
	t.Cleanup(func() { _ = exec.Command(x.tmux, "-S", x.socket, "kill-server").Run() })
	return x
}

func (x *pane) do(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(x.tmux, append([]string{"-u", "-S", x.socket}, args...)...)
	cmd.Env = append(cleanEnv(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (x *pane) keys(t *testing.T, keys ...string) {
	t.Helper()
	x.do(t, append([]string{"send-keys"}, keys...)...)
}

// shows waits for texts, all at one time.
func (x *pane) shows(t *testing.T, texts ...string) {
	t.Helper()
	screen := ""
	defer func() {
		if t.Failed() {
			t.Logf("the screen:\n%s", screen)
		}
	}()
	eventually(t, fmt.Sprintf("the terminal shows %q", texts), func() bool {
		screen = x.do(t, "capture-pane", "-p")
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

func (x *pane) file(t *testing.T, name string) string {
	t.Helper()
	var text []byte
	eventually(t, name+" is written", func() bool {
		var err error
		text, err = os.ReadFile(filepath.Join(x.dir, name))
		return err == nil && strings.HasSuffix(string(text), "\n")
	})
	return strings.TrimSpace(string(text))
}

// start starts top in the shell, and returns its PID.
func (x *pane) start(t *testing.T, args string) int {
	t.Helper()
	script := fmt.Sprintf("cd %s\nrm -f pid code after\nstty -g >before\n"+
		"sh -c 'echo $$ >pid; exec %s top --interval=100ms %s'\n"+
		"code=$?\nstty -g >after\necho $code >code\n", x.dir, landlockd, args)
	write(t, filepath.Join(x.dir, "script"), script, 0o700)
	x.keys(t, ". "+filepath.Join(x.dir, "script"), "Enter")
	x.shows(t, "landlockd top ", "[1 services]", "q quit")
	pid, err := strconv.Atoi(x.file(t, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// ended waits for the end of top, and fails unless the terminal is as it was.
func (x *pane) ended(t *testing.T, how string) {
	t.Helper()
	if code := x.file(t, "code"); code != "0" {
		t.Errorf("%s: exit code %s", how, code)
	}
	if before, after := x.file(t, "before"), x.file(t, "after"); before != after {
		t.Errorf("%s: the terminal is %s, was %s", how, after, before)
	}
	if flags := strings.TrimSpace(x.do(t, "display-message", "-p", "#{alternate_on} #{cursor_flag}")); flags != "0 1" {
		t.Errorf("%s: alternate screen and cursor are %s", how, flags)
	}
}

// TestTop: on a real terminal it shows what is there, obeys keys, goes on without a daemon, and
// however it ends the terminal is as it was.
func TestTop(t *testing.T) {
	dir := testenv.PublicDir(t)
	flag := apiFlag + filepath.Join(dir, "s")
	serve := daemonOptions{args: []string{"--scan.min-interval=0", flag}}
	d := startDaemon(t, serve)
	program := filepath.Join(dir, "lltop-sandboxed")
	copyProgram(t, testenv.NeedTool(t, "sleep"), program)
	boxed := launch(t, nil, sandboxed(2, program, "600")...)
	x := newPane(t)

	x.start(t, flag)
	x.shows(t, "Workloads ", "Processes ", "WORKLOAD ", "RESTRICTS ", "By the daemon at "+dir)
	x.keys(t, "2", "/", "lltop-s")
	x.shows(t, "Filter: lltop-s", "sandboxed  2 ", "lltop-sandboxed")
	x.keys(t, "Enter")
	x.shows(t, "with lltop-s", "1/1  By the daemon")
	x.keys(t, "Enter")
	x.shows(t, fmt.Sprintf("explain %d", boxed.cmd.Process.Pid), "lltop-sandboxed", "executable")
	x.do(t, "resize-window", "-x", "60", "-y", "12")
	x.keys(t, "Escape")
	x.shows(t, "[2 processes]", "1/1  By the daemon")
	x.do(t, "resize-window", "-x", "100", "-y", "30")
	x.shows(t, "Denials ", "1/1  By the daemon")
	x.keys(t, "p")
	x.shows(t, "PAUSED")
	x.keys(t, "p", "?")
	x.shows(t, "Ctrl-C ")

	d.signal(t, syscall.SIGKILL)
	d.wait(t)
	x.shows(t, "trying again: no landlockd serves there")
	again := startDaemon(t, serve)
	x.shows(t, "By the daemon at "+dir)
	x.keys(t, "q")
	x.ended(t, "q")

	x.start(t, flag)
	x.keys(t, "C-c")
	x.ended(t, "Ctrl-C")
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		pid := x.start(t, flag)
		if err := syscall.Kill(pid, end); err != nil {
			t.Fatal(err)
		}
		x.ended(t, end.String())
	}
	again.stop(t)
	x.start(t, apiFlag)
	x.shows(t, "By this command's own scan: it was not asked")
	x.keys(t, "q")
	x.ended(t, "an own scan")

	p := run(t, "top", flag)
	if p.wait(t) != exitUsage || !strings.Contains(p.stderr.String(), "needs a terminal") {
		t.Errorf("%s", &p.stderr)
	}
}
