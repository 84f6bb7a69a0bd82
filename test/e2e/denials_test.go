// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/provoke"
	"github.com/landlockd/landlockd/test/testenv"
)

// provokeRole is denied something as often as it is asked to be.
func provokeRole(args []string) error {
	runtime.LockOSThread()
	return provoke.Play(args[0], args[1], os.Stdin, os.Stdout)
}

// guardRole has audit on for a while.
func guardRole([]string) error { return provoke.Guard(os.Stdin, os.Stdout) }

func startProvoker(t testing.TB, blocker string) *provoke.Child {
	t.Helper()
	c, err := provoke.Start(exec.Command(self, roleArg, "provoke", blocker, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// auditOn switches audit on until off is called, or the test ends.
func auditOn(t testing.TB) (off func()) {
	t.Helper()
	restore, err := provoke.SwitchOn(exec.Command(self, roleArg, "audit-guard"))
	if err != nil {
		t.Fatal(err)
	}
	off = sync.OnceFunc(func() {
		if err := restore(); err != nil {
			t.Errorf("audit: %v", err)
		}
	})
	t.Cleanup(off)
	return off
}

// needCounters skips on kernels that count no denials.
func needCounters(t testing.TB) {
	t.Helper()
	testenv.NeedRoot(t)
	if abi, err := landlock.ABI(); err != nil || abi < 7 {
		t.Skipf("Landlock of ABI %d (%v) counts no denials: Linux 6.15 has 7", abi, err)
	}
}

const readFileDenials = `landlock_denials_by_blocker_total{blocker="fs.read_file"}`

// sum adds up the series of a metric.
func (m metrics) sum(name string) (total float64) {
	for series, v := range m {
		if series == name || strings.HasPrefix(series, name+"{") {
			total += v
		}
	}
	return total
}

func (m metrics) countsDenialsBy(way string) bool {
	for series := range m {
		if strings.HasPrefix(series, "landlockd_source_info{") {
			return strings.Contains(series, `denials="`+way+`"`)
		}
	}
	return false
}

func TestDenialsByTheKernelsCounts(t *testing.T) {
	needCounters(t)
	before := startProvoker(t, "fs.read_file")
	if err := before.Provoke(100); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0"}})
	first := d.scrape(t)
	start, ok := first["landlock_denials_total"]
	if !ok || start >= 100 {
		t.Errorf("landlock_denials_total is %v (%v) at the start", start, ok)
	}
	during := startProvoker(t, "fs.write_file")
	d.scrape(t)
	for _, c := range []*provoke.Child{before, during} {
		if err := c.Provoke(1000); err != nil {
			t.Fatal(err)
		}
	}
	m := d.scrape(t)
	if got := m["landlock_denials_total"] - start; got < 2000 || got > 2100 {
		t.Errorf("%v denials are counted, want 2000, and a few of others", got)
	}
	if !m.countsDenialsBy("counters") && !m.countsDenialsBy("tracepoints") && !m.countsDenialsBy("audit") {
		t.Error("landlockd_source_info does not say how")
	}
}

func TestDenialsByAudit(t *testing.T) {
	needCounters(t)
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0"}})
	if m := d.scrape(t); !m.countsDenialsBy("counters") {
		t.Skip("this kernel has tracepoints, or audit is on already; the guests of test/kernels have both")
	} else if _, there := m[readFileDenials]; there {
		t.Error("denials are told by blocker, but audit is off")
	}
	c := startProvoker(t, "fs.read_file")
	off := auditOn(t)
	const n = 10_000
	if err := c.Provoke(n); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all denials are told by blocker and by workload", func() bool {
		m := d.scrape(t)
		return m[readFileDenials] >= n && m.sum("landlock_workload_denials_total") >= n
	})
	m := d.scrape(t)
	workload := `landlock_workload_denials_total{workload="` + workloadOf(t, c.PID()) + `"}`
	if m[readFileDenials] > n+100 || m[workload] < n || m[workload] > n+100 || m["landlockd_denials_lost_total"] != 0 || !m.countsDenialsBy("audit") {
		t.Errorf("of %d denials %v are told by blocker, %v by workload, %v lost", n, m[readFileDenials], m[workload], m["landlockd_denials_lost_total"])
	}
	off()
	eventually(t, "audit is off again", func() bool { return d.scrape(t).countsDenialsBy("counters") })
	if after := d.scrape(t); after[readFileDenials] < m[readFileDenials] {
		t.Errorf("the counter fell from %v to %v", m[readFileDenials], after[readFileDenials])
	}
	d.stop(t)
}

// workloadOf returns the name of a process's workload, as once has it.
func workloadOf(t *testing.T, pid int32) string {
	t.Helper()
	out, err := exec.Command(landlockd, "once", "--format=json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var snapshot struct {
		Processes []struct {
			PID      int32
			Workload string
		}
	}
	if err := json.Unmarshal(out, &snapshot); err != nil {
		t.Fatal(err)
	}
	for _, p := range snapshot.Processes {
		if p.PID == pid {
			return p.Workload
		}
	}
	t.Fatalf("process %d is not found", pid)
	return ""
}

func TestNoDenials(t *testing.T) {
	d := startDaemon(t, daemonOptions{args: []string{"--no-collector.denials"}})
	for series := range d.scrape(t) {
		if strings.Contains(series, "denials_") {
			t.Errorf("%s is exported", series)
		}
	}
}
