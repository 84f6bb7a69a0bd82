// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestEveryByte: whatever byte a name, a path or a cgroup has, text is text, JSON is JSON,
// a page of metrics is one, and the process is the one that it is.
func TestEveryByte(t *testing.T) {
	tree := newCgroupTree(t)
	dir := testenv.PublicDir(t)
	copied := filepath.Join(dir, "program")
	copyProgram(t, self, copied)
	var pids []int
	for first := 1; first < 256; first += 15 { // a name holds 15 bytes
		var name []byte
		for b := first; b < min(first+15, 256); b++ {
			name = append(name, byte(b))
		}
		file := strings.ReplaceAll(string(name), "/", "")
		program := filepath.Join(dir, file)
		if err := os.Link(copied, program); err != nil {
			t.Fatal(err)
		}
		p := stay(t, true, sandboxed(1, program, roleArg, "name", string(name))...)
		pids = append(pids, p.cmd.Process.Pid)
		tree.put(strings.ReplaceAll(file, "\n", "")+".service", p) // no cgroup's name has that byte
	}
	s, seen := takeSnapshot(t), map[string]bool{}
	for _, pid := range pids {
		p := s.find(pid)
		if p == nil || p.State != "sandboxed" || p.Exe == nil || !strings.HasPrefix(*p.Exe, dir) {
			t.Fatalf("process %d: %+v", pid, p)
		}
		if seen[p.Comm] || seen[*p.Exe] {
			t.Errorf("%q looks like another one: %q", *p.Exe, p.Comm)
		}
		seen[p.Comm], seen[*p.Exe] = true, true
	}
	commands := [][]string{{"services"}, {"services", "-o", "json"}, {"ps"}, {"ps", "-o", "json"}, {"tree"}, {"tree", "--domains", "--ascii"}, {"once"}}
	for _, pid := range pids {
		commands = append(commands, []string{"explain", "--no-paths", strconv.Itoa(pid)})
	}
	for _, args := range commands {
		p := run(t, args...)
		if code := p.wait(t); code != 0 {
			t.Errorf("%v: exit code %d: %s", args, code, &p.stderr)
		}
		checkPrintable(t, p.stdout.String()+p.stderr.String())
	}
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0"}})
	// A cgroup can have each of these names, a unit of systemd two of them.
	eventually(t, "the units are named", func() bool {
		m := d.scrape(t)
		return m.workload("jklmnopqrstuvwx.service", "sandboxed") == 1 && m.workload("LMNOPQRSTUVWXYZ.service", "sandboxed") == 1
	})
	m, sum := d.scrape(t), 0
	for name, n := range m {
		if strings.HasPrefix(name, `landlock_workload_processes{state="sandboxed"`) {
			sum += int(n)
		}
	}
	if sum != m.state("sandboxed") || sum < len(pids) {
		t.Errorf("%d are sandboxed in workloads, %d in all", sum, m.state("sandboxed"))
	}
	_, page := d.do(t, "GET", "/metrics")
	promtool(t, page)
	checkPrintable(t, page+d.stderr.String())
}

// TestManyNames: 10 000 programs of one user make no more series than others' hundred, take
// none from a unit, and are counted all the same.
func TestManyNames(t *testing.T) {
	const many = 10_000
	d, tree := startWatched(t, daemonOptions{prefix: limitedMemory(t)})
	before := len(d.scrape(t))
	dir := testenv.PublicDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p := startHurry(t, tree, "names", strconv.Itoa(many), dir)
	for range 5 {
		m := d.scrape(t)
		m.checkWitnesses(t)
		if n := m.state("unsandboxed"); n < many {
			t.Fatalf("%d are unsandboxed", n)
		}
		if n := m[`landlock_workloads{state="unsandboxed"}`]; n < many {
			t.Errorf("%v workloads", n)
		}
		if n := m["landlockd_workloads_folded"]; n < many-100 {
			t.Errorf("%v are folded", n)
		}
		if n := len(m); n > before+6*100 {
			t.Errorf("%d series, %d before", n, before)
		}
	}
	endHurry(t, p)
	eventually(t, fmt.Sprintf("the %d are gone", many), func() bool {
		return d.scrape(t).state("unsandboxed") < many/100
	})
	d.scrape(t).checkWitnesses(t)
}
