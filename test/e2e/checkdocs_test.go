// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// docsOfCheck are the exit codes of the commands of docs/check.md, in the
// document's order: all is as the rules that were suggested say, and the process is
// sandboxed.
var docsOfCheck = map[string]int{
	"landlockd rules suggest >rules.yml":                                                      0,
	"landlockd check-config rules.yml":                                                        0,
	"landlockd check --config.file=rules.yml":                                                 0,
	"landlockd check --config.file=rules.yml -o json":                                         0,
	"landlockd check --config.file=rules.yml -o nagios":                                       0,
	"landlockd check --config.file=rules.yml --require-matches":                               0,
	"landlockd explain --config.file=rules.yml $PID":                                          0,
	"landlockd once --format=json >host.json":                                                 0,
	"landlockd check --config.file=rules.yml --snapshot=host.json":                            0,
	"landlockd rules suggest --snapshot=host.json":                                            0,
	"landlockd check --pid=$PID --expect=state=sandboxed,min_depth=1,restricts=fs.write_file": 1,
}

// TestDocsOfCheck runs the commands of docs/check.md, one after the other.
func TestDocsOfCheck(t *testing.T) {
	testenv.NeedRoot(t)
	text, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := docCommands(string(text))
	if len(commands) != len(docsOfCheck) {
		t.Errorf("%d commands in the document, %d in the test", len(commands), len(docsOfCheck))
	}
	// Long enough ago for every rule's grace: what is young is compliant anyway.
	pid := runs(t, sandboxed(1, copyOfCat(t, "documented"))...)
	dir := t.TempDir()
	for _, command := range commands {
		want, found := docsOfCheck[command]
		if !found {
			t.Errorf("%q is run by no test", command)
			continue
		}
		p := launch(t, func(c *exec.Cmd) {
			c.Dir = dir
			c.Env = append(c.Env, "PATH="+filepath.Dir(landlockd)+":"+os.Getenv("PATH"), fmt.Sprintf("PID=%d", pid))
		}, "sh", "-c", command)
		if code := p.wait(t); code != want {
			t.Errorf("%q: exit code %d, want %d\n%s%s", command, code, want, &p.stdout, &p.stderr)
		}
		if out := p.stdout.String(); (out == "") != strings.Contains(command, ">") {
			t.Errorf("%q writes %q", command, out)
		}
	}
}
