// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/netns"
	"github.com/landlockd/landlockd/test/provoke"
)

// loopbackUp is all that the tests want of a shell.
const loopbackUp = "ip link set dev lo up"

// selftests is where the host puts the kernel's own tests of Landlock, and overlay the module
// that some of them need.
const (
	selftests = "/selftests"
	overlay   = selftests + "/overlay.ko"
)

// checkSelftests runs the kernel's own tests of Landlock without landlockd and beside it,
// while it scans without a pause, counts runs and denials, and is asked for all that it
// knows. Each test must come to what it comes to without, and what landlockd says must
// never contradict what Landlock promises. Arguments: tests, names joined by +, or all; way,
// by what denials must be counted; rounds, how often a program is run at most, each way, to
// find what a test of differing results can come to: some of them have timeouts.
func checkSelftests(t *T) {
	t.Must(netns.LoopbackUp())
	t.Must(os.MkdirAll("/usr", 0o755)) // some tests have rules on it
	if err := os.Symlink(self, "/bin/sh"); !errors.Is(err, os.ErrExist) {
		t.Must(err)
	}
	t.Must(loadModule(overlay))
	t.Must(ownRoot())
	way := t.Arg("way", "")
	programs := selectedTests(t)
	alone := make(map[string]*results)
	beside := make(map[string]*results)
	audit := func() {
		if way == "audit" {
			t.Must(provoke.SetAudit(provoke.Audit{Enabled: true, BacklogLimit: 8192}))
		}
	}
	run := func(to map[string]*results, name string) {
		audit() // some of them leave it off
		if to[name] == nil {
			to[name] = newResults()
		}
		r := to[name]
		t.Must(r.run(name))
		t.Fact("selftests_seconds", fmt.Sprintf("%s: %.0f", name, r.took[len(r.took)-1].Seconds()))
	}
	for _, name := range programs {
		run(alone, name)
	}
	audit()
	d := startDaemon(t, "--scan.min-interval=0")
	if text := d.scrape(t); way != "" && !strings.Contains(text, `denials="`+way+`"`) {
		t.Errorf("denials are not counted by %s: %s; %s", way, line(text, "landlockd_source_info"), d.text())
	}
	w := startWatch(d, openIterator(t), way != "")
	for _, name := range programs {
		run(beside, name)
	}
	for _, name := range programs {
		for n := 1; n < t.Number("rounds", 3) && len(differing(alone[name], beside[name])) > 0; n++ {
			run(beside, name)
		}
	}
	// Until then nothing that is said could have been wrong.
	for n := 1; n < mostRounds && !w.judged.Load(); n++ {
		for _, name := range programs {
			run(beside, name)
		}
	}
	w.stop(t)
	d.stop(t)
	for _, name := range programs {
		for n := 1; n < t.Number("rounds", 3) && len(differing(alone[name], beside[name])) > 0; n++ {
			run(alone, name)
		}
		t.Fact("selftests", fmt.Sprintf("%s | %s | %s", name, alone[name], beside[name]))
		if skipped := alone[name].skipped(); len(skipped) > 0 {
			t.Fact("selftests_skipped", name+": "+strings.Join(skipped, ", "))
		}
		if failed := alone[name].failed(); len(failed) > 0 {
			t.Fact("selftests_failed", name+": "+strings.Join(failed, ", "))
			for _, test := range slices.Sorted(maps.Keys(alone[name].said)) {
				t.Fact("selftests_said", name+" "+test+": "+alone[name].said[test])
			}
		}
		for _, test := range unsteady(alone[name], beside[name]) {
			t.Fact("selftests_unsteady", fmt.Sprintf("%s: `%s`: %s without landlockd, %s beside it", name, test,
				show(alone[name].tests[test]), show(beside[name].tests[test])))
		}
		for _, test := range differing(alone[name], beside[name]) {
			t.Errorf("%s %s: %s without landlockd, %s beside it\n%s", name, test,
				show(alone[name].tests[test]), show(beside[name].tests[test]), beside[name].said[test])
		}
	}
}

// mostRounds is how often programs are run at most until a task was seen twice in a domain and,
// where denials are reported one by one, in one that denied something to it.
const mostRounds = 20

// noSelftests are what is beside the tests: programs that they start, the module, and a
// benchmark, which has no results.
var noSelftests = []string{"true", "sandbox-and-launch", "wait-pipe", "wait-pipe-sandbox", "overlay.ko", "fs_bench"}

// selectedTests returns the names of the programs that are to be run.
func selectedTests(t *T) []string {
	if names := t.Arg("tests", ""); names != "" {
		return strings.Split(names, "+")
	}
	files, err := os.ReadDir(selftests)
	t.Must(err)
	var names []string
	for _, f := range files {
		switch name := f.Name(); {
		case strings.HasSuffix(name, "_test"):
			names = append(names, name)
		case !slices.Contains(noSelftests, name):
			t.Errorf("is %s a test?", name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("%s has no tests", selftests)
	}
	return names
}

// selftestTime bounds one program.
const selftestTime = 20 * time.Minute

// run runs a program and adds what its tests came to.
func (r *results) run(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), selftestTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "selftest", filepath.Join(selftests, name))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	r.took = append(r.took, time.Since(began))
	// That tests failed is no error.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: not finished after %s: %w", name, selftestTime, err)
	}
	if problem := r.read(out.Bytes()); problem != nil {
		return fmt.Errorf("%s: %w\n%s", name, errors.Join(problem, err), out.Bytes())
	}
	return nil
}
