// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// docsOfExplain are the commands of docs/explain.md.
var docsOfExplain = []string{"landlockd explain $PID", "landlockd explain $PID -o json", "landlockd explain self", "landlockd explain $PID --sockets"}

// TestDocsOfExplain runs the commands of docs/explain.md on a sandboxed process.
func TestDocsOfExplain(t *testing.T) {
	testenv.NeedRoot(t)
	text, err := os.ReadFile("../../docs/explain.md")
	if err != nil {
		t.Fatal(err)
	}
	if commands := docCommands(string(text)); !slices.Equal(commands, docsOfExplain) {
		t.Fatalf("the document has %q, the test %q", commands, docsOfExplain)
	}
	b := newBoxedShell(t, fmt.Sprintf("fs=%#x", makeReg))
	for _, command := range docsOfExplain {
		p := launch(t, func(c *exec.Cmd) {
			c.Env = append(c.Env, "PATH="+filepath.Dir(landlockd)+":"+os.Getenv("PATH"), fmt.Sprintf("PID=%d", b.pid))
		}, "sh", "-c", command)
		if code := p.wait(t); code != 0 {
			t.Errorf("%q: exit code %d: %s", command, code, &p.stderr)
		}
		if command == "landlockd explain self" { // of whom this test is
			wants(t, p.stdout.String(), "(landlockd) from nothing: it is in no domain.\n")
			continue
		}
		wants(t, p.stdout.String(), "make a regular file", "nowhere")
	}
}
