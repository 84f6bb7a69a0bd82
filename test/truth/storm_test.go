// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

const (
	// stormUser has no privilege, and a cgroup of his own with stormGroups in it.
	stormUser     = 65534
	stormGroups   = 10_000
	stormPrograms = 3_000
	// mostHeap is what draining may hold on to, in bytes, however many cells there were.
	mostHeap = 64 << 20
)

// TestRunsInAStorm has a user end as many processes as he can beside others: such that are
// alike, and such of as many cgroups, programs and names as he can have. Of his all are
// counted; of the others' all is known.
func TestRunsInAStorm(t *testing.T) {
	t.Run("alike", func(t *testing.T) { storm(t, 0, 1) })
	t.Run("unlike", func(t *testing.T) { storm(t, stormGroups, stormPrograms) })
}

func storm(t *testing.T, cgroups, programs int) {
	f, g := feed(t), groups(t, 3)
	if err := f.Ask(runAges, cgroups > 0); err != nil {
		t.Fatal(err)
	}
	s := startSwarm(t, cgroups, programs)
	began, drains := time.Now(), 0
	var cells []runs.Cell // of the others, since their last truth
	take := func() {
		drains++
		for _, c := range drain(t, f) {
			if s.owns(&c) {
				s.count(&c)
			} else {
				cells = append(cells, c)
			}
		}
	}
	played := make(chan *Runs)
	go func() {
		defer close(played)
		for seed := uint64(1); ; seed++ {
			r, err := PlayRuns(t.Context(), actor(t), RunsOptions{Seed: seed, Lives: 16, Quick: 40, Groups: g})
			if err != nil {
				t.Error(err)
				return
			}
			played <- r
			select {
			case <-s.done:
				return
			default:
			}
		}
	}()
	beside, tick := 0, time.NewTicker(500*time.Millisecond)
	defer tick.Stop()
	for more := true; more; {
		var truth *Runs
		select {
		case truth, more = <-played:
		case <-tick.C:
		case <-f.Filling():
		}
		take()
		if truth != nil {
			beside += len(truth.Ends)
			Fail(t.Errorf, "beside the storm", CompareRuns(cells, truth, runAges))
			cells = cells[:0]
		}
	}
	took := time.Since(began)
	s.compare(t, took)
	// Those that are alike have few cells; those that are not have more than there is room for.
	if alike := cgroups == 0; alike != (s.folded == 0) {
		t.Errorf("%d stretches had no room for a cell of their own", s.folded)
	}
	t.Logf("%d ends of others beside it, %d drains", beside, drains)
	logCosts(t, f)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if t.Logf("%d KiB are held in the end", m.HeapAlloc>>10); m.HeapAlloc > mostHeap {
		t.Errorf("%d bytes are held in the end, at most %d may be", m.HeapAlloc, mostHeap)
	}
}

// logCosts states what the programs took, which on a busy host says little: that is for
// make bench.
func logCosts(t *testing.T, f *trace.Reader) {
	for name, c := range f.Costs() {
		t.Logf("%s: %d calls, %v on average, %v at most", name, c.Calls,
			c.Sum/time.Duration(max(c.Calls, 1)), c.Longest)
	}
}

// swarmed is a storm, and what was counted of it.
type swarmed struct {
	cmd  *exec.Cmd
	path string        // of its cgroup
	done chan struct{} // is closed when it has passed, and said what it was
	said string
	err  error

	got           [2][4]uint64 // by kind and state
	folded, cells uint64
}

func startSwarm(t *testing.T, cgroups, programs int) *swarmed {
	t.Helper()
	dir := testenv.PublicDir(t)
	program, err := attack.Swarm(dir)
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "own")
	s := &swarmed{path: fmt.Sprintf("/storm-%d.service", os.Getpid()), done: make(chan struct{})}
	host := cgroupfs.Find("/proc", "/sys/fs/cgroup")
	if host.V2 == "" {
		t.Fatal("needs cgroup2, mounted at or below /sys/fs/cgroup")
	}
	cgroup := filepath.Join(host.V2, s.path)
	for _, d := range []string{own, cgroup} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { removeGroups(t, cgroup) })
	for _, name := range []string{own, cgroup, filepath.Join(cgroup, "cgroup.procs")} {
		if err := os.Chown(name, stormUser, stormUser); err != nil {
			t.Fatal(err)
		}
	}
	at, err := os.Open(cgroup)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	s.cmd = exec.Command(program, fmt.Sprint(*stormFlag), fmt.Sprint(cgroups), fmt.Sprint(programs), cgroup, own)
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{
		UseCgroupFD: true, CgroupFD: int(at.Fd()),
		Credential: &syscall.Credential{Uid: stormUser, Gid: stormUser},
	}
	pipe, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	if line, err := out.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v, %v", line, err, s.cmd.Wait())
	}
	go func() {
		defer close(s.done)
		s.said, s.err = out.ReadString('\n')
		s.err = errors.Join(s.err, s.cmd.Wait())
	}()
	return s
}

// owns reports whether a cell is the storm's: of its cgroups, or of those for whose runs
// there was no room at all.
func (s *swarmed) owns(c *runs.Cell) bool {
	return c.Cgroup == s.path || strings.HasPrefix(c.Cgroup, s.path+"/") || c.Folded && c.Cgroup == ""
}

func (s *swarmed) count(c *runs.Cell) {
	s.cells++
	s.got[c.Kind][c.State] += c.Count
	if c.Folded {
		s.folded += c.Count
	}
}

// compare holds what was counted against what the storm says of itself.
func (s *swarmed) compare(t *testing.T, took time.Duration) {
	t.Helper()
	var want [2][4]uint64
	run, launch := &want[runs.Run], &want[runs.Launch]
	_, err := fmt.Sscan(s.said, &run[scan.Unsandboxed], &run[scan.Sandboxed],
		&launch[scan.Unsandboxed], &launch[scan.Sandboxed])
	if err = errors.Join(err, s.err); err != nil {
		t.Fatal(err)
	}
	// Its first process, which was this test before.
	run[scan.Unsandboxed]++
	launch[scan.Unsandboxed]++
	sum := run[scan.Unsandboxed] + run[scan.Sandboxed]
	t.Logf("%d runs in %v (%.0f a second), %d cells, %d stretches without a cell of their own",
		sum, took.Round(time.Millisecond), float64(sum)/took.Seconds(), s.cells, s.folded)
	if s.got != want {
		t.Errorf("runs and launches by state: %v, want %v", s.got, want)
	}
}

// removeGroups removes a cgroup and those in it.
func removeGroups(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			err = errors.Join(err, RemoveCgroup(filepath.Join(dir, e.Name())))
		}
	}
	if err = errors.Join(err, RemoveCgroup(dir)); err != nil {
		t.Error(err)
	}
}
