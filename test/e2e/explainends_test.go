// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

// startSnare starts a process of which a look at its files never ends as long as it runs, and
// returns its PID. What looked has ended by the end of the test.
func startSnare(t *testing.T, program, way string) string {
	t.Helper()
	device, mount := fuse(t)
	t.Cleanup(func() {
		eventually(t, "what looked is gone", func() bool { return len(running()) == 0 })
	})
	p := stay(t, true, program, way, device, mount)
	var pid string
	if _, err := fmt.Sscanf(p.stdout.String(), "ready\n%s\n", &pid); err != nil {
		t.Fatalf("%q: %v", p.stdout.String(), err)
	}
	return pid
}

// running returns the threads that run the program under test. Of a process whose first
// thread has ended, others may be left.
func running() (threads []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/task/*/exe")
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == landlockd {
			threads = append(threads, filepath.Dir(link))
		}
	}
	return threads
}

// endsFor reports how a command ended that is read by a pipe: what holds that beyond the
// command's end keeps the reader waiting. One that hangs is left to the end of the test.
func endsFor(t *testing.T, args ...string) (text string, code int) {
	t.Helper()
	const long = 2 * time.Minute // ten times as long as the command waits for anything
	script := `{ "$@"; echo "code $?"; } 2>&1 3>&1 | cat`
	p := launch(t, nil, append([]string{"sh", "-c", script, "sh", landlockd}, args...)...)
	select {
	case <-p.done:
	case <-time.After(long):
		t.Fatalf("%q did not end: %s", args, &p.stdout)
	}
	text, number, _ := strings.Cut(p.stdout.String(), "code ")
	code, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		t.Fatalf("%q: %s %s", args, &p.stdout, &p.stderr)
	}
	return text, code
}

// TestExplainEnds: to explain a process whose files lead to a file system that does not answer
// ends, says what is not known and why, and all that can be known.
func TestExplainEnds(t *testing.T) {
	testenv.NeedRoot(t)
	program, err := attack.Snare(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	const stale, unsought, late = "(a stale grant)", "of which no path is known", "does not answer"
	for _, c := range []struct {
		way   string
		code  int
		stuck bool // what looked is, and cannot end
		args  []string
		wants []string
	}{
		{way: "link", wants: []string{"  root        /", "Paths are as the process sees them", stale}},
		{way: "root", wants: []string{"fuse/below, a directory of its own", "which might not answer", unsought}},
		{way: "overlay", code: 3, stuck: true, wants: []string{"  root        /",
			"Paths: not all were sought: given up after 10s: ", "not all is known: paths: ", unsought}},
		{way: "socket", stuck: true, args: []string{"--sockets"}, wants: []string{
			"/fuse/listens: ", "its path may lead into a filesystem that does not answer",
			"Paths are as the process sees them", stale}},
	} {
		t.Run(c.way, func(t *testing.T) {
			pid := startSnare(t, program, c.way)
			text, code := endsFor(t, append([]string{"explain", pid}, c.args...)...)
			wants(t, text, append(c.wants, "is sandboxed at depth 1",
				"  Files, only below these:\n", "What cannot be read")...)
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, text)
			}
			stuck := cannotEnd(t)
			if (len(stuck) > 0) != c.stuck {
				t.Errorf("%q cannot end; want some: %v", stuck, c.stuck)
			}
			if c.way == "overlay" {
				isConfined(t, stuck)
			}
			for _, args := range [][]string{
				{"tree"}, {"once"}, {"rules", "suggest"}, {"doctor"},
				{"check", "--pid=" + pid, "--expect=state=sandboxed"},
			} {
				if text, code := endsFor(t, args...); code != 0 || strings.Contains(text, late) {
					t.Errorf("%q: exit code %d: %s", args, code, text)
				}
			}
		})
	}
}

// cannotEnd returns the threads that run the program under test, once all that can end have.
func cannotEnd(t *testing.T) (threads []string) {
	t.Helper()
	eventually(t, "who can end has", func() bool {
		threads = running()
		return !slices.ContainsFunc(threads, func(thread string) bool {
			text, err := os.ReadFile(thread + "/status")
			return err != nil || !strings.Contains(string(text), "\nState:\tD (disk sleep)\n")
		})
	})
	return threads
}

// isConfined checks that threads that look may do little else.
func isConfined(t *testing.T, threads []string) {
	t.Helper()
	const caps = 1<<unix.CAP_SYS_PTRACE | 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_FOWNER
	for _, thread := range threads {
		text, err := os.ReadFile(thread + "/status")
		if err != nil {
			t.Error(err)
		}
		wants(t, string(text), "NoNewPrivs:\t1\n", "Seccomp:\t2\n",
			fmt.Sprintf("CapEff:\t%016x\n", caps), fmt.Sprintf("CapBnd:\t%016x\n", caps))
	}
}

// TestExplainHeldMemory: nobody can read the command line of a process that holds the lock of
// its memory, and all else of it is explained.
func TestExplainHeldMemory(t *testing.T) {
	testenv.NeedRoot(t)
	program, err := attack.Holder(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	c := newConfig(t, "rules:\n  - {name: own, match: {cmdline: [\"x*\"]}, grace: 0s}\n")
	text, code := endsFor(t, "explain", startHolder(t, program), c.flag())
	wants(t, text, "its command line could not be read", "from nothing: it is in no domain")
	if code != 0 {
		t.Errorf("exit code %d: %s", code, text)
	}
	// The sockets of another process are sought at all processes.
	other := newBoxedShell(t, fmt.Sprintf("fs=%#x", makeReg))
	text, code = endsFor(t, "explain", strconv.Itoa(other.pid), "--sockets", c.flag())
	wants(t, text, "is sandboxed at depth 1", "Unix sockets outside")
	if code != 0 {
		t.Errorf("exit code %d: %s", code, text)
	}
}

// TestExplainIsKilled: SIGKILL ends the command at once, whatever it looks at.
func TestExplainIsKilled(t *testing.T) {
	testenv.NeedRoot(t)
	program, err := attack.Snare(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	pid := startSnare(t, program, "overlay")
	for after := time.Millisecond; after < 5*time.Second; after *= 3 {
		for _, s := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
			p := launch(t, nil, landlockd, "explain", pid)
			time.Sleep(after)
			p.signal(t, s)
			if code := p.wait(t); code != -1 {
				t.Errorf("%s after %s: exit code %d", s, after, code)
			}
		}
	}
	if len(cannotEnd(t)) == 0 {
		t.Error("nothing was caught: the test is wrong")
	}
}
