// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestReach: commands say what Landlock keeps a process from, of this host and of a recorded
// snapshot; and what a rule lets it reach it does reach, and nothing that it is kept from: no
// file, and no process.
func TestReach(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	kept, open := filepath.Join(dir, "kept"), filepath.Join(dir, "open")
	for _, d := range []string{kept, open} {
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(d, "file"), "x", 0o666)
	}
	const writing = 0x7ff2 // from fs.write_file on, all that changes files
	unit := "lltest-reach-" + ownLetters() + ".service"
	procs := newCgroupTree(t).procs(unit) // removed when the shell has ended
	b := newBoxedShell(t, fmt.Sprintf("fs=%#x,scope=0x2,below=%#x:%s,below=%#x:/dev/null", writing, writing, open, writeFile))
	pid := fmt.Sprint(b.pid)
	write(t, procs, pid, 0o644)
	config := write(t, filepath.Join(dir, "assets.yml"), fmt.Sprintf(`assets:
  - {name: kept, paths: [%[1]s], access: [write]}
  - {name: kept-file, paths: ["%[1]s/*"], access: [write]}
  - {name: open, paths: [%[2]s], access: [write]}
  - {name: readable, paths: [%[1]s], access: [read]}
  - {name: absent, paths: [%[1]s/none], access: [read]}
  - {name: others, signal: true}
  - {name: abstract, abstract_unix: true}
`, kept, open), 0o644)
	wants(t, explain(t, pid, "--config.file="+config),
		"\n  - kept: Landlock keeps it from this\n",
		"\n  - kept-file: Landlock keeps it from this\n",
		"\n  - open: Landlock does not keep it from this: fs.write_file", ", by the rule on "+open+"\n",
		"\n  - readable: Landlock does not keep it from this: no layer of some thread handles fs.read_file, fs.read_dir on "+kept+" or below\n",
		"\n  - absent: this host does not have it\n",
		"\n  - others: Landlock keeps it from this\n",
		"\n  - abstract: Landlock does not keep it from this: no layer of some thread handles scope.abstract_unix_socket\n")
	if b.do(t, fmt.Sprint("kill -0 ", os.Getpid())) || !b.do(t, "kill -0 $$") {
		t.Error("a signal to a process outside was let through, or one inside was not")
	}
	for asset, file := range map[string]string{"kept": kept + "/file", "open": open + "/file"} {
		if reached := b.do(t, "(echo y 2>/dev/null >"+file+")"); reached != (asset == "open") {
			t.Errorf("%s was reached: %v", asset, reached)
		}
	}
	recorded := filepath.Join(dir, "host.json")
	p := run(t, "once", "--format=json", "--config.file="+config)
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, &p.stderr)
	}
	write(t, recorded, p.stdout.String(), 0o644)
	for _, at := range [][]string{nil, {"--snapshot=" + recorded}} {
		for expect, code := range map[string]int{
			"out_of_reach=kept,kept-file,absent": 0, "out_of_reach=open": exitFailure, "out_of_reach=kept,readable": exitFailure,
		} {
			args := append([]string{"check", "--config.file=" + config, "--pid=" + pid, "--expect=" + expect}, at...)
			p := checks(t, code, args...)
			if code != 0 && !strings.Contains(p.stdout.String(), "Landlock does not keep it from ") {
				t.Errorf("%v: %s", args, &p.stdout)
			}
		}
	}
	for _, at := range []string{apiFlag, "--snapshot=" + recorded} {
		all := servicesOf(t, nil, "--workload="+unit, "--asset=kept", "--asset=open", "--asset=absent", "--config.file="+config, at)
		if len(all.Services) != 1 || fmt.Sprint(all.Services[0].Assets) != "[{kept out_of_reach {1}} {open within_reach {0}} {absent absent {0}}]" {
			t.Errorf("%s: %+v", at, all)
		}
	}
	for file, why := range map[string]string{config: "want one of kept, ", write(t, filepath.Join(dir, "empty.yml"), "rules: []\n", 0o644): "the configuration has no assets"} {
		p := run(t, "services", "--asset=none", apiFlag, "--config.file="+file)
		if code := p.wait(t); code != exitUsage || !strings.Contains(p.stderr.String(), why) {
			t.Errorf("%s: exit code %d: %s", file, code, &p.stderr)
		}
	}
	other := write(t, filepath.Join(dir, "other.yml"),
		strings.Replace("assets: [{name: kept, paths: [DIR], access: [read]}]", "DIR", kept, 1), 0o644)
	checks(t, exitUndecided, "check", "--config.file="+other, "--pid="+pid, "--expect=out_of_reach=kept", "--snapshot="+recorded)
	checks(t, exitUsage, "check", "--config.file="+config, "--pid="+pid, "--expect=out_of_reach=none")
}
