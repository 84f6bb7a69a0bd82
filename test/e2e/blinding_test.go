// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

// others are daemons of the system on this host, and rules about them.
type others struct {
	config string
	gone   string // a program that does not run
}

// The rules name what a service, a container or a program is, in each way that does not
// rest on what a process says of itself.
const othersRules = `rules:
- {name: unit-good, match: {unit: [good.service]}, min_processes: 1, grace: 0s}
- {name: unit-bad, match: {unit: [bad.service]}, grace: 0s}
- {name: unit-free, match: {unit: [bad.service]}, expect: {state: [unsandboxed]}, grace: 0s}
- {name: unit-shallow, match: {unit: ["go*.service"]}, expect: {max_depth: 15}, grace: 0s}
- {name: unit-gone, match: {unit: [gone.service]}, min_processes: 1, grace: 0s}
- {name: unit-exe, match: {unit: [bad.service], exe: [DIR/worker]}, grace: 0s}
- {name: unit-except, match: {unit: [bad.service]}, except: [{exe: [DIR/gone]}], grace: 0s}
- {name: unit-main, match: {unit: [bad.service], main: true}, grace: 0s}
- {name: exe-good, match: {exe: [DIR/daemon]}, min_processes: 1, grace: 0s}
- {name: exe-glob, match: {exe: ["DIR/d*"]}, grace: 0s}
- {name: exe-below, match: {exe: ["DIR/**"]}, grace: 0s}
- {name: exe-regexp, match: {exe: ["re:DIR/(daemon|gone)"]}, grace: 0s}
- {name: exe-gone, match: {exe: [DIR/gone]}, min_processes: 1, grace: 0s, severity: critical}
- {name: exe-root, match: {exe: [DIR/worker], uid: [0]}, grace: 0s}
- {name: below-shell, match: {ancestor_exe: [DIR/shell]}, min_processes: 1, grace: 0s}
- {name: slice, match: {slice: [SLICE]}, grace: 0s}
- {name: cgroup, match: {cgroup: ["/SLICE/bad.service"]}, grace: 0s}
- {name: container, match: {container: ["*"], exe: [DIR/worker]}, grace: 0s}
- {name: command, match: {cmdline: ["DIR/worker"], uid: [0]}, grace: 0s}
`

func startOthers(t *testing.T) others {
	t.Helper()
	tree := newCgroupTree(t)
	dir := testenv.PublicDir(t)
	copyTool := func(tool, name string) string {
		b, err := os.ReadFile(testenv.NeedTool(t, tool))
		if err != nil {
			t.Fatal(err)
		}
		return write(t, filepath.Join(dir, name), string(b), 0o755)
	}
	daemon, worker, shell := copyTool("cat", "daemon"), copyTool("cat", "worker"), copyTool("sh", "shell")
	o := others{gone: copyTool("env", "gone")}
	tree.put("good.service", stay(t, false, sandboxed(1, daemon)...))
	tree.put("bad.service", stay(t, false, worker))
	tree.put("docker-"+strings.Repeat("0123456789abcdef", 4)+".scope", stay(t, false, worker))
	stay(t, false, shell, "-c", daemon+"; exit")
	text := strings.NewReplacer("DIR", dir, "SLICE", filepath.Base(tree.root)).Replace(othersRules)
	o.config = write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"), text, 0o644)
	eventually(t, "all programs run", func() bool {
		n := map[string]int{}
		for _, p := range takeSnapshot(t).Processes {
			if p.Exe != nil {
				n[*p.Exe]++
			}
		}
		return n[daemon] == 2 && n[worker] == 2 && n[shell] == 1
	})
	return o
}

// check returns what check says of the rules, and its exit code, as text.
func (o *others) check(t *testing.T, flags ...string) string {
	t.Helper()
	p := run(t, append([]string{"check", "--config.file=" + o.config, "-o", "json"}, flags...)...)
	code := p.wait(t)
	var answer struct {
		Answer string `json:"answer"`
		Rules  []struct {
			Name       string         `json:"name"`
			Result     string         `json:"result"`
			Processes  map[string]int `json:"processes"`
			Violations []struct {
				Reason    string  `json:"reason"`
				Processes int     `json:"processes"`
				PIDs      []int32 `json:"pids"`
			} `json:"violations"`
		} `json:"rules"`
	}
	if err := json.Unmarshal([]byte(p.stdout.String()), &answer); err != nil {
		t.Fatalf("%v\n%s%s", err, &p.stdout, &p.stderr)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s, exit %d\n", answer.Answer, code)
	for _, r := range answer.Rules {
		fmt.Fprintf(&b, "%s %s %v %v\n", r.Name, r.Result, r.Processes, r.Violations)
	}
	return b.String()
}

// startForger starts a trick as nobody, and waits until it has worked.
func startForger(t *testing.T, program, trick, target string) *process {
	t.Helper()
	dir := testenv.PublicDir(t)
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	return startAsNobody(t, program, trick, target, dir)
}

// TestBlinding: whatever a user without privilege does, no rule about others says
// anything else than before, and neither does the exit code.
func TestBlinding(t *testing.T) {
	o := startOthers(t)
	program, err := attack.Forger(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	before := o.check(t)
	for _, want := range []string{
		"violated, exit 1", "unit-good compliant", "unit-bad violated", "unit-gone violated",
		"unit-except violated", "exe-gone violated", "below-shell violated", "container violated",
	} {
		if !strings.Contains(before, want) {
			t.Errorf("no %q: this says little\n%s", want, before)
		}
	}
	tricks := slices.Concat(attack.Forgeries(), attack.Disguises())
	if len(tricks) < 20 {
		t.Errorf("%d tricks", len(tricks))
	}
	for _, trick := range tricks {
		t.Run(trick, func(t *testing.T) {
			startForger(t, program, trick, o.gone)
			for range 3 {
				if now := o.check(t); now != before {
					t.Fatalf("before:\n%s\nnow:\n%s", before, now)
				}
			}
		})
	}
	if after := o.check(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// TestSnapshotsBesideForks: a recorded snapshot is judged alike whatever was just
// forking, or in the middle of an execve(2), when it was taken.
func TestSnapshotsBesideForks(t *testing.T) {
	o := startOthers(t)
	program, err := attack.Forger(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, trick := range []string{"forks", "execs"} {
		startForger(t, program, trick, o.gone)
	}
	record := filepath.Join(t.TempDir(), "snapshot.json")
	first := ""
	for n := range 25 {
		write(t, record, run(t, "once", "--format=json").stdout.String(), 0o600)
		if now := o.check(t, "--snapshot="+record); first == "" {
			first = now
		} else if now != first {
			t.Fatalf("the first:\n%s\nsnapshot %d:\n%s", first, n, now)
		}
	}
}
