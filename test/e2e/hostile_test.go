// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/landlockd/landlockd/test/testenv"
)

// stdoutTo makes a command write to a file.
func stdoutTo(f *os.File) func(*exec.Cmd) {
	return func(c *exec.Cmd) { c.Stdout = f }
}

// Names are chosen by whoever runs a process, and printed to root's terminal.
func TestHostileNames(t *testing.T) {
	testenv.NeedRoot(t)
	dir := filepath.Join(testenv.PublicDir(t), "new\nline\x1b[31m\xff\u202e")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// A link would not do: the kernel gives the path of what is executed.
	program := filepath.Join(dir, "\r\x1b]0;title\x07\u009b1m")
	copyProgram(t, self, program)
	names := []string{
		"\x1b[2Jgone", "two\nlines", "\xff\xfe\x80bytes", "bell\a\b\r\t\v", "\u202ertl\u202c", "\u009b31mC1", "} 1\nlandlock_x 1", "\"\\{}\\n\"", "\x7f\x01\x02\x03",
	}
	var pids []int
	for _, name := range names {
		p := stay(t, true, sandboxed(1, program, roleArg, "name", name)...)
		pids = append(pids, p.cmd.Process.Pid)
	}
	s := takeSnapshot(t)
	seen := map[string]bool{}
	for i, pid := range pids {
		p := s.find(pid)
		if p == nil || p.State != "sandboxed" || p.Exe == nil || !strings.Contains(*p.Exe, "new\nline") {
			t.Fatalf("%q: %+v", names[i], p)
		}
		if seen[p.Comm] {
			t.Errorf("%q looks like another name: %q", names[i], p.Comm)
		}
		seen[p.Comm] = true
	}
	for _, args := range [][]string{{"tree"}, {"tree", "--all"}, {"tree", "--ascii"}, {"tree", "--domains"}, {"tree", "--domains", "--ascii"}} {
		for _, locale := range []string{"LANG=C", "LANG=C.UTF-8"} {
			p := runWith(t, func(c *exec.Cmd) { c.Env = append(c.Env, locale) }, args...)
			if code := p.wait(t); code != 0 {
				t.Fatalf("%v: exit code %d: %s", args, code, &p.stderr)
			}
			checkPrintable(t, p.stdout.String())
			if args[0] == "tree" && len(args) == 1 && locale == "LANG=C" {
				for _, pid := range pids {
					if _, ok := treeLine(p.stdout.String(), pid); !ok {
						t.Errorf("no line of process %d:\n%q", pid, &p.stdout)
					}
				}
			}
		}
	}
	once := run(t, "once")
	promtool(t, once.stdout.String())
	checkPrintable(t, once.stdout.String())
	d := startDaemon(t, daemonOptions{})
	d.scrape(t).has(t, "landlockd_scan_success", 1)
	checkPrintable(t, d.stderr.String())
}

// checkPrintable checks that text cannot act on a terminal.
func checkPrintable(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("invalid UTF-8: %q", text)
	}
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("character %U in: %q", r, text)
			return
		}
	}
}
