// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

const (
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
	s := startStorm(t, StormOptions{Processes: *stormFlag, Cgroups: cgroups, Programs: programs})
	began, drains := time.Now(), 0
	var cells []runs.Cell // of the others, since their last truth
	take := func() {
		drains++
		for _, c := range drain(t, f) {
			if s.Owns(&c) {
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
			case <-s.Done:
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
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if t.Logf("%d KiB are held in the end", m.HeapAlloc>>10); m.HeapAlloc > mostHeap {
		t.Errorf("%d bytes are held in the end, at most %d may be", m.HeapAlloc, mostHeap)
	}
}

// stormed is a storm, and what was counted of it.
type stormed struct {
	*Storm
	got           [2][4]uint64 // by kind and state
	folded, cells uint64
}

func startStorm(t *testing.T, o StormOptions) *stormed {
	t.Helper()
	dir := testenv.PublicDir(t)
	program, err := attack.Swarm(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := StartStorm(program, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &stormed{Storm: s}
}

func (s *stormed) count(c *runs.Cell) {
	s.cells++
	s.got[c.Kind][c.State] += c.Count
	if c.Folded {
		s.folded += c.Count
	}
}

// compare holds what was counted against what the storm says of itself.
func (s *stormed) compare(t *testing.T, took time.Duration) {
	t.Helper()
	want, _, err := s.Ended()
	if err != nil {
		t.Fatal(err)
	}
	run := &want[runs.Run]
	sum := run[scan.Unsandboxed] + run[scan.Sandboxed]
	t.Logf("%d runs in %v (%.0f a second), %d cells, %d stretches without a cell of their own",
		sum, took.Round(time.Millisecond), float64(sum)/took.Seconds(), s.cells, s.folded)
	if s.got != want {
		t.Errorf("runs and launches by state: %v, want %v", s.got, want)
	}
}

// What a killed test has left of a storm is removed, and of one that lasts nothing.
func TestRemoveOldStorms(t *testing.T) {
	testenv.NeedRoot(t)
	root := cgroupfs.Find("/proc", "/sys/fs/cgroup").V2
	made := map[string]time.Time{"old": time.Now().Add(-3 * time.Hour), "new": time.Now()}
	dirs := map[string]string{}
	for name, at := range made {
		dir, err := os.MkdirTemp(root, "storm-"+name+"*.service")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (&Storm{dir: dir}).Close() })
		if err := os.Mkdir(filepath.Join(dir, "one"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
		dirs[name] = dir
	}
	removeOld(root, time.Now().Add(-longestStorm))
	if _, err := os.Stat(dirs["old"]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old one is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dirs["new"], "one")); err != nil {
		t.Errorf("of the new one: %v", err)
	}
}
