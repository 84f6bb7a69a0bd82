// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestExplainAsks: the confined daemon is asked first, by a command that could not scan, and what
// it does not know is scanned. A name stands for its one process.
func TestExplainAsks(t *testing.T) {
	testenv.NeedRoot(t)
	socket := filepath.Join(testenv.PublicDir(t), "s")
	flag := apiFlag + socket
	startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require", flag}})
	program := copyOfCat(t, "explained")
	pid := fmt.Sprint(runs(t, sandboxed(1, program)...))
	// Of all capabilities, what the daemon asks for: no scan could be made with it.
	only := []string{"setpriv", "--bounding-set=-all,+sys_ptrace,+dac_override", "--inh-caps=-all"}
	asks := func(args ...string) string {
		t.Helper()
		line := slices.Concat(only, []string{landlockd, "explain", flag, "--no-paths"}, args)
		p := launch(t, nil, line...)
		if code := p.wait(t); code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, &p.stderr)
		}
		return p.stdout.String()
	}
	var text string
	eventually(t, "the daemon knows its rules", func() bool {
		text = asks(filepath.Base(program))
		return !strings.Contains(text, "not all of its")
	})
	wants(t, text, "Landlock lets "+pid+" (explained) ", "  threads     1 in a domain\n",
		"\nBy the daemon at "+socket+"\n")
	var j struct {
		Origin    string
		Sandboxes []struct{ TIDs []int }
		Roots     []struct{ TIDs []int } `json:"root_directories"`
	}
	if err := json.Unmarshal([]byte(asks(pid, "-o", "json")), &j); err != nil || j.Origin != "daemon" ||
		len(j.Sandboxes) != 1 || len(j.Roots) != 1 || len(j.Roots[0].TIDs) != 1 || j.Roots[0].TIDs[0] == 0 {
		t.Errorf("%v: %+v", err, j)
	}
	checkRefusal(t, run(t, "explain", flag, "no/such program"), exitUndecided, "no program and no workload")

	own := explain(t, pid, apiFlag, "--no-paths")
	wants(t, own, "By this command's own scan: it was not asked\n")
	if hints := run(t, "--completion-bash", "explain", "expl").stdout.String(); hints != "explained" {
		t.Errorf("what completes a name: %q", hints)
	}
	// What it is itself: as sandboxed as who starts it.
	self := launch(t, nil, sandboxed(1, landlockd, "explain", "self", apiFlag, "--no-paths")...)
	if self.wait(t); !strings.Contains(self.stdout.String(), "(landlockd) is sandboxed at depth 1") {
		t.Errorf("%s%s", &self.stdout, &self.stderr)
	}
}
