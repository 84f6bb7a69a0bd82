// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// Commands of the docs that other tests run, or that run this one; TestDocsOfCheck
// runs those of docs/check.md, TestDocsOfExplain those of docs/explain.md.
var runElsewhere = map[string]string{
	"make test":                       "runs this test",
	"make run":                        "TestMakeRun",
	"make demo":                       "TestMakeDemo",
	"curl -s localhost:10644/metrics": "TestShellsSandboxedOneTwoAndThreeDeep",
	"sudo landlockd rules known":      "test/programs, TestKnownCommand",
	"sudo landlockd log --follow":     "TestServices",
	"sudo landlockd services --asset=secrets --state=ineffective --state=sandboxed": "TestReach, of its own assets",
}

// docCommands returns the command lines of the fenced blocks of a document: all
// lines of a sh block, and those behind a user's prompt of any other.
func docCommands(text string) []string {
	var out []string
	block := ""
	for _, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(trimmed, "```"):
			if block != "" {
				block = ""
			} else if block = strings.TrimPrefix(trimmed, "```"); block == "" {
				block = "text"
			}
		case block == "sh" && trimmed != "" && !strings.HasPrefix(trimmed, "#"):
			out = append(out, trimmed)
		case block != "" && block != "sh" && strings.HasPrefix(trimmed, "$ "):
			out = append(out, strings.TrimPrefix(trimmed, "$ "))
		}
	}
	return out
}

// TestCommandsOfTheDocs runs the commands of the docs.
func TestCommandsOfTheDocs(t *testing.T) {
	testenv.NeedRoot(t)
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	docs = append(docs, "../../README.md", "../../CONTRIBUTING.md")
	// It installs and removes packages: test/deploy runs its commands, in a guest.
	docs = slices.DeleteFunc(docs, func(doc string) bool { return filepath.Base(doc) == "install.md" })
	ran := 0
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range docCommands(string(text)) {
			command, _, _ = strings.Cut(command, " |")
			if _, inCheck := docsOfCheck[command]; inCheck || slices.Contains(docsOfExplain, command) || runElsewhere[command] != "" {
				continue
			}
			args := strings.Fields(strings.TrimPrefix(command, "sudo "))
			if args[0] != "landlockd" {
				t.Errorf("%s: %q is run by no test", doc, command)
				continue
			}
			p := run(t, args[1:]...)
			if code := p.wait(t); code != 0 || p.stdout.String() == "" {
				t.Errorf("%s: %q: exit code %d, %q", doc, command, code, p.stderr.String())
			}
			ran++
		}
	}
	if ran == 0 {
		t.Error("no command was found")
	}
}

var served = regexp.MustCompile(`msg="\d+ of \d+ workloads? (?:is|are) sandboxed .*; \d+ of \d+ processes (?:is|are) sandboxed .*metrics=(http://\S+)`)

// TestMakeRun is the README's first command.
func TestMakeRun(t *testing.T) {
	testenv.NeedRoot(t)
	inProject := func(c *exec.Cmd) { c.Dir = "../.." }
	// What takes long is not what is tested.
	if out, err := exec.Command("make", "-C", "../..", "build").CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	p := launch(t, inProject, "make", "run")
	var url string
	eventually(t, "make run says how many processes are sandboxed and where the metrics are", func() bool {
		m := served.FindStringSubmatch(p.stderr.String())
		if m != nil {
			url = m[1]
		}
		return m != nil || p.ended()
	})
	if url == "" {
		t.Fatalf("make run ended:\n%s\n%s", p.stdout.String(), p.stderr.String())
	}
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, resp.Status)
	}
	// make passes nothing on: end the daemon, which is its shell's process.
	for _, pr := range takeSnapshot(t).Processes {
		if pr.PPID == p.cmd.Process.Pid && pr.Comm == "landlockd" {
			_ = syscall.Kill(pr.PID, syscall.SIGTERM)
		}
	}
	p.wait(t)
}
