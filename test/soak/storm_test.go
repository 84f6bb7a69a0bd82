// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/truth"
)

const (
	stormGroups   = 10_000
	stormPrograms = 3_000
	// rulesOfNames have the daemon tell processes apart by their names.
	rulesOfNames = "rules: [{name: named, match: {comm: [none]}, expect: {state: [sandboxed]}}]\n"
	// mostGrowth is what a daemon takes in the last quarter of a storm, in that of the second.
	mostGrowth = 1.05
	// fewSamples do not show whether anything grows.
	fewSamples = 40
)

// TestStorm holds what a daemon counts of a storm of processes that end, and of others beside it,
// to what they were, and its memory and that of the kernel's tables to what it was before.
func TestStorm(t *testing.T) {
	inside(t, func(t *testing.T) {
		program, err := attack.Swarm(testenv.PublicDir(t))
		if err != nil {
			t.Fatal(err)
		}
		landlockd := buildLandlockd(t)
		t.Run("alike", func(t *testing.T) {
			storm(t, startDaemon(t, landlockd, "rules: []\n"), program, 0, 1)
		})
		t.Run("unlike", func(t *testing.T) {
			storm(t, startDaemon(t, landlockd, rulesOfNames), program, stormGroups, stormPrograms)
		})
	})
}

func storm(t *testing.T, d *daemon, program string, cgroups, programs int) {
	n := newNeighbour(t, program)
	before, _ := d.scrape(t)
	kernel := d.tables(t)
	s, err := truth.StartStorm(program, testenv.PublicDir(t),
		truth.StormOptions{For: *stormFor, Cgroups: cgroups, Programs: programs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	var resident []float64 // in kB
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for more := true; more; {
		select {
		case <-s.Done:
			more = false
		case <-tick.C:
		}
		if len(resident) > 0 { // until the storm is one
			n.run(t)
		}
		m, _ := d.scrape(t)
		if m["landlockd_scan_success"] != 1 {
			t.Error("a scan has failed")
		}
		resident = append(resident, float64(d.resident(t)))
	}
	took := time.Since(began)
	ended, _, err := s.Ended()
	if err != nil {
		t.Fatal(err)
	}
	after, _ := d.scrape(t)
	grew := func(name string) float64 { return after[name] - before[name] }
	run := ended[runs.Run]
	for name, want := range map[string]uint64{
		`landlock_runs_total{state="unsandboxed"}`: run[scan.Unsandboxed] + n.runs,
		`landlock_runs_total{state="sandboxed"}`:   run[scan.Sandboxed],
		`landlock_runs_total{state="partial"}`:     0,
		`landlock_runs_total{state="unknown"}`:     0,
		runsOf("neighbour-*.service"):              n.runs,
		runsOf("storm-*.service"):                  run[scan.Unsandboxed],
	} {
		if got := grew(name); got != float64(want) {
			t.Errorf("%s grew by %.0f, want %d", name, got, want)
		}
	}
	lost := grew("landlockd_run_records_lost_total")
	if alike := cgroups == 0; alike != (lost == 0) {
		t.Errorf("%.0f records were lost", lost)
	}
	if now := d.tables(t); now != kernel {
		t.Errorf("the kernel's tables take %d bytes, %d before", now, kernel)
	}
	sum := run[scan.Unsandboxed] + run[scan.Sandboxed]
	t.Logf("%d runs in %s (%.0f a second), %.0f records lost, %d runs of a neighbour, %.1f MB in the kernel's tables",
		sum, took.Round(time.Second), float64(sum)/took.Seconds(), lost, n.runs, float64(kernel)/1e6)
	second, last := quarter(resident, 1), quarter(resident, 3)
	t.Logf("%.0f kB resident in the second quarter, %.0f in the last one", second, last)
	if len(resident) >= fewSamples && last > mostGrowth*second {
		t.Errorf("%.0f kB resident in the last quarter, at most %.0f may be", last, mostGrowth*second)
	}
}

// quarter is the mean of one of four parts.
func quarter(of []float64, nth int) float64 {
	of = of[nth*len(of)/4 : (nth+1)*len(of)/4]
	sum := 0.0
	for _, n := range of {
		sum += n
	}
	return sum / float64(max(len(of), 1))
}

// runsOf is the name of the samples of a workload's runs: of its name, numbers make no difference.
func runsOf(workload string) string {
	return fmt.Sprintf(`landlock_workload_runs_total{state="unsandboxed",workload=%q}`, workload)
}

// neighbour is a unit of which few processes end, outside of a sandbox. They are of the same
// user as the storm, who has no room left for what they are.
type neighbour struct {
	program string
	cgroup  *os.File
	runs    uint64
}

func newNeighbour(t *testing.T, program string) *neighbour {
	t.Helper()
	dir, err := os.MkdirTemp(cgroupfs.Find("/proc", "/sys/fs/cgroup").V2, "neighbour-*.service")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := truth.RemoveCgroup(dir); err != nil {
			t.Error(err)
		}
	})
	n := &neighbour{program: program}
	if n.cgroup, err = os.Open(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.cgroup.Close() })
	return n
}

// run has some processes end.
func (n *neighbour) run(t *testing.T) {
	t.Helper()
	for range 7 {
		cmd := exec.Command(n.program, "end")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			UseCgroupFD: true, CgroupFD: int(n.cgroup.Fd()),
			Credential: &syscall.Credential{Uid: truth.StormUser, Gid: truth.StormUser},
		}
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		n.runs++
	}
}

// tables is what the kernel's tables take that the daemon drains, in bytes.
func (d *daemon) tables(t *testing.T) (sum uint64) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // a connection that was closed
		}
		var id ebpf.MapID
		_, after, found := strings.Cut(string(b), "map_id:")
		if _, err := fmt.Sscan(after, &id); !found || err != nil {
			continue
		}
		m, err := ebpf.NewMapFromID(id)
		if err != nil {
			t.Fatal(err)
		}
		info, err := m.Info()
		m.Close()
		if err != nil {
			t.Fatal(err)
		}
		size, _ := info.Memlock()
		sum += size
	}
	if sum == 0 {
		t.Fatal("the daemon has no tables")
	}
	return sum
}
