// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestCheckAsks: check, rules suggest and rules known ask the confined daemon first, by commands
// that could not scan. By a part of the host no rules are judged: what is not seen might violate them.
func TestCheckAsks(t *testing.T) {
	testenv.NeedRoot(t)
	socket := filepath.Join(testenv.PublicDir(t), "s")
	flag := apiFlag + socket
	startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require", flag}})
	program := copyOfCat(t, "checked")
	runs(t, sandboxed(1, program)...)
	rules := write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"),
		fmt.Sprintf("rules:\n  - {name: it, match: {exe: [%s]}, min_processes: 1}\n", program), 0o644)
	file := "--config.file=" + rules
	only := []string{"setpriv", "--bounding-set=-all,+sys_ptrace,+dac_override", "--inh-caps=-all", landlockd}
	asks := func(args ...string) string {
		t.Helper()
		p := launch(t, nil, append(append(only[:len(only):len(only)], args...), flag)...)
		if code := p.wait(t); code != 0 {
			t.Fatalf("%q: exit code %d: %s%s", args, code, &p.stdout, &p.stderr)
		}
		return p.stdout.String()
	}
	wants(t, asks("check", file), "it ", "\nBy the daemon at "+socket+"\n")
	var j struct{ Answer, Origin string }
	if err := json.Unmarshal([]byte(asks("check", file, "-o", "json")), &j); err != nil ||
		j.Origin != "daemon" || j.Answer != "compliant" {
		t.Errorf("%v: %+v", err, j)
	}
	wants(t, asks("rules", "suggest"), "/checked\"]")
	known := "--known.files=" + write(t, filepath.Join(testenv.PublicDir(t), "known.yml"),
		fmt.Sprintf("programs:\n  - {name: probe, what: probes, when: default, who: process, "+
			"match: {exe: [%s]}, untested: made up}\n", program), 0o644)
	wants(t, asks("rules", "known", known), "probe    sandboxed  1/1", "\nBy the daemon at "+socket+"\n")
	// Of a part of the host is said what is seen, and that it is a part.
	seen := runWith(t, asNobody(), "rules", "known", known, flag)
	wants(t, seen.stdout.String(), "None known here: ", "Only processes that you may look at are seen",
		"\nBy the daemon at "+socket+"\n")

	const part = "it shows this user a part of the host"
	for _, args := range [][]string{{"check", file}, {"rules", "suggest"}} {
		p := runWith(t, asNobody(), append(args, flag)...)
		if code, text := p.wait(t), p.stderr.String(); code == 0 || !strings.Contains(text, part) {
			t.Errorf("%q of nobody: exit code %d: %s%s", args, code, &p.stdout, text)
		}
	}
	own := launch(t, asNobody(), testenv.NeedTool(t, "sleep"), "60")
	pid := strconv.Itoa(own.cmd.Process.Pid)
	checks := runWith(t, asNobody(), "check", "--pid="+pid, "--expect=state=unsandboxed", flag, "-o", "json")
	if err := json.Unmarshal([]byte(checks.stdout.String()), &j); err != nil || j.Origin != "daemon" ||
		j.Answer != "compliant" {
		t.Errorf("%v: %+v: %s", err, j, &checks.stderr)
	}

	// With assets that the daemon was not asked for, an own scan is made.
	assets := write(t, filepath.Join(testenv.PublicDir(t), "assets.yml"),
		"assets: [{name: outside, signal: true}]\nrules:\n  - {name: it, match: {exe: ["+program+"]}}\n", 0o644)
	p := run(t, "check", "--config.file="+assets, flag)
	wants(t, p.stdout.String(), "By this command's own scan: it did not look for these assets\n")
}
