// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// manyProcesses is what DESIGN.md's budgets are stated for.
const manyProcesses = 10000

// maxResident is what DESIGN.md's budgets have for resident memory beside manyProcesses, in kB of
// the kernel: 21.7 to 23.4 MB were measured, as how much Go keeps depends on when it collects.
// perTask is what each task more takes that this host has.
const (
	maxResident = 25_000_000 / 1024
	perTask     = 0.9
)

// startSleepers starts a number of sleeping processes, which end with the test.
func startSleepers(t *testing.T, n int) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "sleepers")
	if out, err := exec.Command(testenv.NeedTool(t, "cc"), "-O2", "-Wall", "-static", "-o", program, "testdata/sleepers.c").CombinedOutput(); err != nil {
		t.Fatalf("compile the sleepers: %v\n%s", err, out)
	}
	p := stay(t, true, program, strconv.Itoa(n))
	t.Cleanup(func() {
		p.stdin.Close()
		p.wait(t) // it reaps them all
	})
}

func TestScrapeBesideManyProcesses(t *testing.T) {
	testenv.NeedRoot(t)
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--log.level=warn"}})
	few := traceScrape(t, d)
	fewTasks := d.scrape(t)["landlockd_scan_tasks"]
	startSleepers(t, manyProcesses)
	settle(t, d)
	many := traceScrape(t, d)
	m := d.scrape(t)
	if n := m.state("unsandboxed"); n < manyProcesses {
		t.Errorf("%d unsandboxed processes, want at least %d", n, manyProcesses)
	}
	if m.state("unknown") > 0 {
		t.Errorf("%d processes are unknown", m.state("unknown"))
	}

	grown, byRuntime := many.since(few)
	t.Logf("system calls of one scrape: %v; with %.0f tasks more: %v", few, m["landlockd_scan_tasks"]-fewTasks, many)
	if grown >= 100 {
		t.Errorf("%d system calls more for %d processes more, want those of the iterator's reads alone", grown, manyProcesses)
	}
	// What Go's scheduler does follows the time, which the trace stretches.
	if byRuntime >= manyProcesses/10 {
		t.Errorf("the runtime makes %d system calls more for %d processes more", byRuntime, manyProcesses)
	}
	const scrapes = 20
	before := cpuTime(t, d.cmd.Process.Pid)
	for range scrapes {
		d.scrape(t)
	}
	cpu := (cpuTime(t, d.cmd.Process.Pid) - before) / scrapes
	t.Logf("CPU of one scrape beside %d processes: %v; scan: %.2f ms",
		manyProcesses, cpu, 1000*m["landlockd_scan_duration_seconds"])
	second := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--log.level=warn"}})
	for range scrapes {
		second.scrape(t)
	}
	for order, d := range map[string]*daemon{"before": d, "after": second} {
		resident := residentMemory(t, d.cmd.Process.Pid)
		status := fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid)
		tasks := d.scrape(t)["landlockd_scan_tasks"]
		t.Logf("resident memory of a daemon that started %s %.0f tasks: %d kB, of which %s are its own, %s of files, %s of memory files",
			order, tasks, resident, statusLine(t, status, "RssAnon"), statusLine(t, status, "RssFile"), statusLine(t, status, "RssShmem"))
		if bound := maxResident + perTask*(tasks-manyProcesses); float64(resident) > bound {
			t.Errorf("resident memory of a daemon that started %s the processes is %d kB, want at most %.0f", order, resident, bound)
		}
	}
}

// settle brings the daemon into its steady state: every executable's path was read.
func settle(t testing.TB, d *daemon) {
	t.Helper()
	for range 3 {
		d.scrape(t)
	}
}

// cpuTime is the CPU time of all threads of a process.
func cpuTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("no threads of process %d: %v", pid, err)
	}
	var sum time.Duration
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		ns, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// residentMemory is that of a process, in kB.
func residentMemory(t testing.TB, pid int) int {
	t.Helper()
	line := statusLine(t, fmt.Sprintf("/proc/%d/status", pid), "VmRSS")
	kB, err := strconv.Atoi(strings.TrimSuffix(line, " kB"))
	if err != nil {
		t.Fatalf("VmRSS: %v", err)
	}
	return kB
}

// statusLine returns the value of one line of a status file.
func statusLine(t testing.TB, path, key string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && k == key {
			return strings.Join(strings.Fields(v), " ")
		}
	}
	t.Fatalf("%s has no line %s", path, key)
	return ""
}
