// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// sandboxed is the command line of a program in a domain nested so deep.
func sandboxed(layers int, args ...string) []string {
	return append([]string{self, roleArg, "sandbox", strconv.Itoa(layers)}, args...)
}

// nestedShells starts a shell in one domain, in it one in a nested domain, and
// in that one in a third, and returns their PIDs.
func nestedShells(t *testing.T) [3]int {
	t.Helper()
	// A shell that runs its arguments as a child, not in its own place.
	shell := []string{"sh", "-c", `"$@"; exit`, "sh"}
	innermost := sandboxed(1, "sh", "-c", "read x")
	inner := sandboxed(1, append(shell, innermost...)...)
	p := stay(t, false, sandboxed(1, append(shell, inner...)...)...)
	pids := [3]int{p.cmd.Process.Pid}
	eventually(t, "three shells run, one in the other", func() bool {
		s := takeSnapshot(t)
		for i := 1; i < len(pids); i++ {
			child := s.child(pids[i-1], "sh")
			if child == nil {
				return false
			}
			pids[i] = child.PID
		}
		return true
	})
	return pids
}

// separateShells starts shells 1, 2 and 3 layers deep that have nothing to do
// with each other, and returns their PIDs.
func separateShells(t *testing.T) [3]int {
	t.Helper()
	var pids [3]int
	for i := range pids {
		p := stay(t, false, sandboxed(i+1, "sh", "-c", "read x")...)
		pids[i] = p.cmd.Process.Pid
		eventually(t, "the shell runs", func() bool {
			found := takeSnapshot(t).find(pids[i])
			return found != nil && found.Comm == "sh"
		})
	}
	return pids
}

// checkCounts waits until the metrics count exactly own processes (by depth),
// beside those that others on this host have sandboxed.
func checkCounts(t *testing.T, d *daemon, pids []int, own map[int]int) {
	t.Helper()
	var m metrics
	var want map[int]int
	agree := func() bool {
		time.Sleep(pause)
		m = d.scrape(t)
		s := takeSnapshot(t)
		for _, pid := range pids {
			if p := s.find(pid); p != nil {
				p.State = "own"
			}
		}
		want = s.sandboxedByDepth()
		for depth, n := range own {
			want[depth] += n
		}
		total := 0
		for depth, n := range want {
			total += n
			if m.depth(strconv.Itoa(depth)) != n {
				return false
			}
		}
		return m.state("sandboxed") == total
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if agree() {
			return
		}
	}
	t.Errorf("sandboxed by depth: want %v (own: %v), the metrics are %v", want, own, m)
}

func TestShellsSandboxedOneTwoAndThreeDeep(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{})
	before := takeSnapshot(t)
	for name, start := range map[string]func(*testing.T) [3]int{"nested": nestedShells, "separate": separateShells} {
		t.Run(name, func(t *testing.T) {
			pids := start(t)
			s := takeSnapshot(t)
			domains := map[string]bool{}
			for i, pid := range pids {
				if before.find(pid) != nil {
					t.Fatalf("process %d was there before", pid)
				}
				p := s.find(pid)
				if p == nil || p.State != "sandboxed" || p.Depth == nil || *p.Depth != i+1 {
					t.Fatalf("shell %d layers deep: %+v", i+1, p)
				}
				domains[p.domain()] = true
			}
			if len(domains) != 3 || domains[""] {
				t.Errorf("domain IDs: %v, want three", domains)
			}
			own := map[int]int{1: 1, 2: 1, 3: 1}
			checkCounts(t, d, pids[:], own)
			checkCurl(t, d)
			checkTree(t, s, pids, name == "nested")
		})
	}
}

// checkCurl reads the metrics as the README says.
func checkCurl(t *testing.T, d *daemon) {
	t.Helper()
	out, err := exec.Command(testenv.NeedTool(t, "curl"), "-sSf", "http://"+d.addr+"/metrics").CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	if m := parseMetrics(t, string(out)); m.state("sandboxed") < 4 {
		t.Errorf("curl shows %d sandboxed, want the three shells and the daemon", m.state("sandboxed"))
	}
}

// checkTree looks for the shells in the tree.
func checkTree(t *testing.T, s snapshot, pids [3]int, nested bool) {
	t.Helper()
	p := run(t, "tree", "--ascii")
	if p.wait(t) != 0 {
		t.Fatalf("tree: %s", &p.stderr)
	}
	last := -1
	for i, pid := range pids {
		line, ok := treeLine(p.stdout.String(), pid)
		if !ok {
			t.Fatalf("tree does not show %d:\n%s", pid, &p.stdout)
		}
		f := strings.Fields(line)
		if f[1] != "sandboxed" || f[2] != strconv.Itoa(i+1) || f[3] != s.find(pid).domain() {
			t.Errorf("shell %d layers deep: %q", i+1, line)
		}
		column := strings.LastIndex(line, "sh")
		if nested && column <= last {
			t.Errorf("%q does not stand below its parent:\n%s", line, &p.stdout)
		}
		last = column
	}
}

// treeLine returns a process's line.
func treeLine(tree string, pid int) (string, bool) {
	for line := range strings.Lines(tree) {
		if f := strings.Fields(line); len(f) > 4 && f[0] == strconv.Itoa(pid) {
			return strings.TrimSuffix(line, "\n"), true
		}
	}
	return "", false
}

func TestOneSandboxedThreadIsPartial(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0"}})
	p := stay(t, true, self, roleArg, "partial")
	pid := p.cmd.Process.Pid
	found := takeSnapshot(t).find(pid)
	if found == nil || found.State != "partial" || found.Domain != nil {
		t.Fatalf("a process with one sandboxed thread: %+v", found)
	}
	threads := map[string]int{}
	for _, task := range found.Tasks {
		threads[task.State]++
	}
	want := map[string]int{"sandboxed": 1, "unsandboxed": found.Threads - 1}
	if !maps.Equal(threads, want) || found.Threads < 2 {
		t.Errorf("threads %v, want %v", threads, want)
	}
	if n := d.scrape(t).state("partial"); n < 1 {
		t.Errorf("the metrics show %d partial processes", n)
	}
	tree := run(t, "tree", "--ascii")
	if line, ok := treeLine(tree.stdout.String(), pid); !ok || strings.Fields(line)[1] != "partial" {
		t.Errorf("tree: %q", line)
	}
}
