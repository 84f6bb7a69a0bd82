// SPDX-License-Identifier: Apache-2.0

package cmdline

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/landlockd/landlockd/internal/procdir"
)

// tick is the unit of times in /proc/[pid]/stat.
const tick = 10_000_000

// start returns when a process began, in nanoseconds.
func start(t *testing.T, pid int) uint64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	var s procdir.Stat
	if !procdir.ParseStat(b, &s) {
		t.Fatalf("%q", b)
	}
	return s.Start + 1234567
}

func sleeper(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sleep", args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	// The kernel shows its arguments only a little after it was executed.
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid)); err == nil && len(b) > 0 {
			return cmd
		}
	}
	t.Fatal("it has no command line")
	return nil
}

func TestLine(t *testing.T) {
	r := New("/proc")
	cmd := sleeper(t, "0.5", "600")
	p := Process{PID: int32(cmd.Process.Pid), Start: start(t, cmd.Process.Pid), Exec: 1}
	if got, ok := r.Line(p); !ok || got != "/bin/sleep 0.5 600" {
		t.Errorf("%q, %v", got, ok)
	}
	// A time that is not the process's: the PID was another's.
	other := p
	other.Start += 2 * tick
	if got, ok := r.Line(other); ok {
		t.Errorf("of another process: %q", got)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if got, ok := r.Line(p); !ok || got == "" {
		t.Errorf("remembered: %q, %v", got, ok)
	}
	p.Exec++
	if got, ok := r.Line(p); ok {
		t.Errorf("of a process that went: %q", got)
	}
}

func TestLineIsReadAgain(t *testing.T) {
	r := New("/proc")
	now := time.Now()
	r.now = func() time.Time { return now }
	cmd := sleeper(t, "600")
	p := Process{PID: int32(cmd.Process.Pid), Start: start(t, cmd.Process.Pid)}
	if _, ok := r.Line(p); !ok {
		t.Fatal("not read")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	now = now.Add(maxAge - 1)
	if _, ok := r.Line(p); !ok {
		t.Error("forgotten too soon")
	}
	now = now.Add(1)
	if got, ok := r.Line(p); ok {
		t.Errorf("never forgotten: %q", got)
	}
}

func TestLineThatIsTooLong(t *testing.T) {
	args := make([]string, maxLine/100)
	for i := range args {
		args[i] = "0." + strings.Repeat("0", 100)
	}
	cmd := sleeper(t, append(args, "600")...)
	p := Process{PID: int32(cmd.Process.Pid), Start: start(t, cmd.Process.Pid)}
	if got, ok := New("/proc").Line(p); ok {
		t.Errorf("%d bytes", len(got))
	}
}

// fake is a procfs of regular files.
func fake(t *testing.T, pids int, line string) string {
	t.Helper()
	root := t.TempDir()
	for pid := 1; pid <= pids; pid++ {
		dir := filepath.Join(root, fmt.Sprint(pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		stat := fmt.Sprintf("%d (a) b) S 1%s 7%s", pid, strings.Repeat(" 0", 17), strings.Repeat(" 0", 30))
		for name, text := range map[string]string{"stat": stat, "cmdline": line} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

// In a bubble time stands still: however busy the host is, no call is given up.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("x", maxLine)
		r := New(fake(t, 3, long))
		for exec := range uint64(2 * maxBytes / maxLine) {
			for pid := range int32(3) {
				if text, ok := r.Line(Process{PID: pid + 1, Start: 7 * tick, Exec: exec}); !ok || text != long {
					t.Fatalf("pid %d: %v", pid, ok)
				}
				held := 0
				for _, l := range r.lines {
					held += len(l.text)
				}
				if held > maxBytes || held != r.bytes {
					t.Fatalf("%d bytes are held, counted as %d", held, r.bytes)
				}
			}
		}
		r = New(fake(t, 1, "x"))
		for exec := range uint64(maxEntries + 10) {
			r.Line(Process{PID: 1, Start: 7 * tick, Exec: exec})
		}
		if len(r.lines) > maxEntries {
			t.Errorf("%d lines are held", len(r.lines))
		}
	})
}

func TestLineOfNothing(t *testing.T) {
	root := fake(t, 1, "")
	for _, p := range []Process{{PID: 1, Start: 7 * tick}, {PID: 2}, {PID: -1}, {PID: 0}} {
		if text, ok := New(root).Line(p); ok {
			t.Errorf("%+v: %q", p, text)
		}
	}
}

func TestJoin(t *testing.T) {
	for text, want := range map[string]string{"": "", "\x00\x00": "", "a\x00": "a", "a\x00b c\x00": "a b c", "a\x00\x00b\x00": "a  b", "sshd: user\x00\x00\x00": "sshd: user"} {
		if got := join([]byte(text)); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
