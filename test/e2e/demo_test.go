// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestMakeDemo: it shows what it says, what it prints can be done, and it leaves nothing: by
// itself, or by Ctrl-C.
func TestMakeDemo(t *testing.T) {
	testenv.NeedRoot(t)
	inProject := func(c *exec.Cmd) { c.Dir = "../.." }
	ofDemo := regexp.MustCompile(`/\S*/landlockd-demo-\d+`)
	for _, length := range []string{"1h", "1ms"} {
		p := launch(t, inProject, "make", "demo", "DEMO_FOR="+length)
		eventually(t, "the demo shows what to look at", func() bool {
			return strings.Contains(p.stdout.String(), "or by Ctrl-C.") || p.ended()
		})
		text := p.stdout.String()
		dir := ofDemo.FindString(text)
		if dir == "" {
			t.Fatalf("%s\n%s", text, &p.stderr)
		}
		if length == "1h" {
			checkDemo(t, text)
			checkRecording(t, demoScenes(t, text, dir))
			// As a terminal does: make gets it, too.
			if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			p.wait(t)
		} else if code := p.wait(t); code != 0 {
			t.Errorf("exit code %d: %s", code, &p.stderr)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is left (%v)", dir, err)
		}
		for _, q := range takeSnapshot(t).Processes {
			if strings.HasPrefix(q.Comm, "demo-") {
				t.Errorf("process %d (%s) is left", q.PID, q.Comm)
			}
		}
	}
}

// checkDemo checks what the demo prints.
func checkDemo(t *testing.T, text string) {
	t.Helper()
	for _, row := range []string{
		`demo-forgotten\S* +unsandboxed .*violating: forgotten`, `demo-partial\S* +partial .*violating: partial`,
		`demo-idle\S* +ineffective .*violating: idle`, `demo-good\S* +sandboxed .*1 compliant`,
		`demo-nested\S* +sandboxed +2 +1-2 `,
	} {
		if !regexp.MustCompile(`(?m)^` + row).MatchString(text) {
			t.Errorf("there is no row %s in\n%s", row, text)
		}
	}
	wants := map[string]string{"explain": "Process ", "check": "forgotten", "curl": "landlock_rule_violated{"}
	for line := range strings.Lines(text) {
		for word, want := range wants {
			if !strings.HasPrefix(line, "  /") && !strings.HasPrefix(line, "  curl") || !strings.Contains(line, " "+word+" ") {
				continue
			}
			delete(wants, word)
			out, err := exec.Command("sh", "-c", line).CombinedOutput()
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: %v, no %q in\n%s", line, err, want, out)
			}
		}
	}
	if len(wants) > 0 {
		t.Errorf("it prints no command with %v:\n%s", wants, text)
	}
}
