// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

// startCrowd starts what makes many of something, as nobody.
func startCrowd(t testing.TB, args ...string) *process {
	t.Helper()
	program, err := attack.Crowd(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	return startAsNobody(t, append([]string{program}, args...)...)
}

// startAsNobody starts a program as nobody, and waits until it says that it is ready. It
// may have left that to a child.
func startAsNobody(t testing.TB, args ...string) *process {
	t.Helper()
	return waitReady(t, stay(t, false, nobody(t, args...)...))
}

// nobody is a command line as nobody.
func nobody(t testing.TB, args ...string) []string {
	t.Helper()
	return append([]string{testenv.NeedTool(t, "setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"}, args...)
}

// waitReady waits until a program has said that it is ready, last of all.
func waitReady(t testing.TB, p *process) *process {
	t.Helper()
	// Ten thousand processes take seconds, and on a busy host ten times as long.
	for end := time.Now().Add(10 * patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if p.ended() && p.stderr.String() != "" {
			t.Fatalf("%q ended: %s", p.cmd.Args, &p.stderr)
		}
		if strings.HasSuffix(p.stdout.String(), "ready\n") {
			return p
		}
	}
	t.Fatalf("%q does not get ready", p.cmd.Args)
	return nil
}

// memoryLimit is that of the chart.
const memoryLimit = 128 << 20

// limitedMemory returns a command line to put before a program, which then has no
// more memory than the chart gives it.
func limitedMemory(t testing.TB) []string {
	t.Helper()
	for _, h := range []struct{ root, limit string }{
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"},
	} {
		dir := filepath.Join(h.root, "landlockd-e2e-"+strconv.Itoa(os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			continue
		}
		t.Cleanup(func() {
			eventually(t, "the daemon's cgroup can be removed", func() bool { return os.Remove(dir) == nil })
		})
		if os.WriteFile(filepath.Join(dir, h.limit), []byte(strconv.Itoa(memoryLimit)), 0o600) == nil {
			return []string{"sh", "-c", "echo $$ > " + filepath.Join(dir, "cgroup.procs") + ` && exec "$@"`, "sh"}
		}
	}
	t.Fatal("this test needs the memory controller of cgroups, v1 or v2")
	return nil
}

// TestManyDomains: beside 200 000 domains, of one user without privilege, the
// daemon stays in its memory, counts every process, and gives the memory back.
func TestManyDomains(t *testing.T) {
	testenv.NeedRoot(t)
	const processes, layers = 12500, 16
	d := startDaemon(t, daemonOptions{prefix: limitedMemory(t), args: []string{"--scan.min-interval=0"}})
	settle(t, d)
	before := residentMemory(t, d.cmd.Process.Pid)
	flood := startCrowd(t, "domains", strconv.Itoa(processes), strconv.Itoa(layers))
	most := 0
	for range 8 {
		m := d.scrape(t)
		// Others of the host may be sandboxed, too, but hardly so deep.
		if m["landlockd_scan_success"] != 1 || m.state("sandboxed") < processes {
			t.Fatalf("scan success %v; %d sandboxed, %d unknown", m["landlockd_scan_success"], m.state("sandboxed"), m.state("unknown"))
		}
		if n := m[`landlock_processes_by_depth{depth="16"}`]; n != processes || m["landlock_nesting_depth_max"] != layers {
			t.Fatalf("%v processes at depth 16, deepest %v", n, m["landlock_nesting_depth_max"])
		}
		most = max(most, residentMemory(t, d.cmd.Process.Pid))
	}
	flood.stdin.Close()
	flood.wait(t)
	// Three quarters of what the burst took, at least. The rest is a collection's worth of
	// heap, some 4 MB that come and go, the program's code, which had not run before, and
	// memory that it shares with the kernel.
	bound, after := before+(most-before)/4, 0
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		d.scrape(t)
		if after = residentMemory(t, d.cmd.Process.Pid); after < bound {
			break
		}
	}
	t.Logf("%d domains: resident %d kB before, %d kB at most, %d kB after", processes*layers, before, most, after)
	if after >= bound {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
		t.Errorf("a minute later %d kB are resident, and not less than %d (%v)\n%s", after, bound, err, status)
	}
}

// TestManyRoots: processes that change their root directories all the time, in a
// domain with as many rules as there are ports, fail no scrape, and do not delay
// the end.
func TestManyRoots(t *testing.T) {
	testenv.NeedRoot(t)
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0"}})
	settle(t, d)
	startCrowd(t, "roots", "500", "65535", "1", dir)
	var took []time.Duration
	for end := time.Now().Add(attackTime); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		m := d.scrape(t)
		if m["landlockd_scan_success"] != 1 || m.state("sandboxed") < 500 {
			t.Fatalf("scan success %v, %d sandboxed", m["landlockd_scan_success"], m.state("sandboxed"))
		}
		took = append(took, time.Duration(m["landlockd_scan_duration_seconds"]*float64(time.Second)))
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("%d scrapes; scans took %v (median), %v (99 %%), %v at most", len(took), took[len(took)/2], p99, took[len(took)-1])
	if p99 > 10*scanBudget { // a test catches what hangs
		t.Errorf("99 %% of scans took %v", p99)
	}
	began := time.Now()
	d.signal(t, syscall.SIGTERM)
	d.wait(t)
	if took := time.Since(began); took > patience/2 {
		t.Errorf("it took %v to end", took)
	}
}

const (
	// scanBudget is what 99 % of scans take, whatever users do.
	scanBudget = 100 * time.Millisecond
	// attackTime is long enough to read all rules, and for new root directories.
	attackTime = 10 * time.Second
)
