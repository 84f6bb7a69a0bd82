// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// BenchmarkShare is what naming adds to a scan of 10 000 real processes in 2 000
// real cgroups, in CPU time: the bound is 20 % in the steady state.
func BenchmarkShare(b *testing.B) {
	if testing.Short() {
		b.Skip("starts 10 000 processes")
	}
	v2, v1 := realRoots(b)
	root := v2
	if v1 != "" {
		root = v1
	}
	src, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	const processes, groups = 10_000, 2000
	// The slice is removed after its processes ended: cleanups run backwards.
	slice := realSlice(b, root)
	settle(b, startSleepers(b, processes), src, slice, groups)

	r := Open(Options{})
	defer r.Close()
	snap := scanOnce(b, src)
	r.Assign(snap)
	b.ResetTimer()
	var scanning, naming time.Duration
	for b.Loop() {
		began := cpuTime(b)
		snap := scanOnce(b, src)
		scanned := cpuTime(b)
		r.Assign(snap)
		scanning += scanned - began
		naming += cpuTime(b) - scanned
	}
	named := snap.ByWorkload()
	if len(snap.Processes) < processes || len(named) < groups {
		b.Fatalf("%d processes in %d workloads", len(snap.Processes), len(named))
	}
	n := float64(b.N)
	b.ReportMetric(float64(scanning.Microseconds())/n, "scan-cpu-µs/op")
	b.ReportMetric(float64(naming.Microseconds())/n, "names-cpu-µs/op")
	b.ReportMetric(100*float64(naming)/float64(scanning), "%-added")
}

// startSleepers starts that many processes, which end with the benchmark, and
// returns the PID of their parent.
func startSleepers(b *testing.B, n int) int {
	b.Helper()
	program := filepath.Join(b.TempDir(), "sleepers")
	if out, err := exec.Command("cc", "-O2", "-static", "-o", program, "../../test/e2e/testdata/sleepers.c").CombinedOutput(); err != nil {
		b.Fatalf("compile the sleepers: %v\n%s", err, out)
	}
	cmd := exec.Command(program, strconv.Itoa(n))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// settle spreads the children of a process over cgroups.
func settle(b *testing.B, parent int, src scan.Source, slice string, groups int) {
	b.Helper()
	for i := range groups {
		makeCgroup(b, filepath.Join(slice, fmt.Sprintf("x%d.service", i)))
	}
	moved := 0
	for deadline := time.Now().Add(time.Minute); moved < 10_000; {
		if time.Now().After(deadline) {
			b.Fatalf("only %d children", moved)
		}
		time.Sleep(500 * time.Millisecond)
		snap := scanOnce(b, src)
		moved = 0
		for i := range snap.Processes {
			if p := &snap.Processes[i]; int(p.PPID) == parent {
				procs := filepath.Join(slice, fmt.Sprintf("x%d.service", moved%groups), "cgroup.procs")
				if err := os.WriteFile(procs, []byte(strconv.Itoa(int(p.PID))), 0o644); err != nil {
					b.Fatal(err)
				}
				moved++
			}
		}
	}
}

func scanOnce(b *testing.B, src scan.Source) *scan.Snapshot {
	b.Helper()
	snap, err := src.Scan(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return snap
}

// cpuTime is what this process used so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
