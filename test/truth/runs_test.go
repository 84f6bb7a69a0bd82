// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/taskiter"
)

// runAges are distinguished: the actor has lives on both sides of each.
var runAges = []time.Duration{30 * time.Millisecond, 500 * time.Millisecond}

// feed opens what is under test.
func feed(t *testing.T) *trace.Reader {
	t.Helper()
	src := source(t, taskiter.Options{}).(*taskiter.Source)
	state, files, err := trace.Open(btf.NewCache(), src.Layout())
	if err != nil {
		t.Fatalf("%+v", err)
	}
	r, err := trace.NewReader(state, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Ask(runAges, false); err != nil {
		t.Fatal(err)
	}
	return r
}

func groups(t *testing.T, n int) Groups {
	t.Helper()
	g, err := MakeGroups(cgroupfs.Find("/proc", "/sys/fs/cgroup"), fmt.Sprint("truth-", os.Getpid()), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Remove(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func drain(t *testing.T, f runs.Feed) []runs.Cell {
	t.Helper()
	d, err := f.Drain()
	if err != nil {
		t.Fatal(err)
	}
	if d.Missed != 0 {
		t.Errorf("the programs missed %d ends", d.Missed)
	}
	return d.Cells
}

// TestRuns compares what was counted of processes that ended with what they were.
// -truth.runs=N says how many seeds; one that fails is replayed by -truth.seed=N.
func TestRuns(t *testing.T) {
	f, g := feed(t), groups(t, 5)
	first, last := uint64(1), *runsFlag
	if *seedFlag != 0 {
		first, last = *seedFlag, *seedFlag
	}
	ops, ended, loose := map[string]int{}, 0, 0
	var truth *Runs
	for seed := first; seed <= last; seed++ {
		ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			var err error
			opts := RunsOptions{Seed: seed, Lives: 64, Groups: g}
			if seed == first {
				opts.Quick = 10_000
			}
			if truth, err = PlayRuns(t.Context(), actor(t), opts); err != nil {
				t.Fatal(err)
			}
			Fail(t.Errorf, "false", CompareRuns(drain(t, f), truth, runAges))
		})
		if truth == nil {
			return
		}
		if !ok {
			t.Logf("replay: go test ./test/truth -run TestRuns -truth.seed=%d", seed)
		}
		for kind, n := range truth.Ops {
			ops[kind] += n
		}
		for i := range truth.Ends {
			ended++
			loose += min(len(truth.Ends[i].Can)-1, 1)
		}
	}
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(ops)) {
		fmt.Fprintf(&b, "\n%8d %s", ops[kind], kind)
		if ops[kind] == 0 && *seedFlag == 0 && canRun(kind, truth) {
			t.Errorf("no process did %s", kind)
		}
	}
	t.Logf("%d stretches of lives ended, %d of them in one of several ways%s", ended, loose, &b)
}

// canRun reports whether this kernel and this user can do an operation at all.
func canRun(kind string, truth *Runs) bool {
	switch {
	case strings.Contains(kind, "ring"):
		return truth.Rings
	case strings.HasPrefix(kind, "restrict"), kind == "exit_partial":
		return truth.ABI >= 1
	}
	return true
}
