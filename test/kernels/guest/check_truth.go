// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/truth"
)

// actor is where the host puts the truth generator's program.
const actor = "/truth/actor"

// checkTruth compares scans of random forests with what the forests know of
// themselves, and judges scans of roots that are moved. Arguments: seeds, the number of
// forests; first, the first seed; processes in each.
func checkTruth(t *T) {
	source := openIterator(t)
	// Where rules are not read, nobody says what they come to.
	unread := source.Info().Rules != "read"
	compareForests(t, source, truth.Config{NoViews: unread})
	if !unread {
		judgeSwing(t, source)
	}
}

// swingTime is how long roots are moved while they are looked at, unless it takes
// longer until one stood still during a scan.
const swingTime = 5 * time.Second

// judgeSwing scans while root directories are moved between places that different
// rules are on.
func judgeSwing(t *T, source scan.Source) {
	swing, err := truth.StartSwing(context.Background(), actor, uint64(time.Now().UnixNano()))
	t.Must(err)
	var sum truth.SwingVerdict
	scans, moves := 0, 0
	goOn := func(spent time.Duration) bool {
		return spent < swingTime || sum.Steady == 0 && spent < churnTime
	}
	for began := time.Now(); goOn(time.Since(began)); scans++ {
		moves, err = swing.Look(context.Background(), source, &sum)
		t.Must(err)
	}
	t.Must(swing.Close())
	t.Fact("swing", fmt.Sprintf("%d scans, %d moves, %d statements, %d on roots at rest, %d changing, %d unread, %d false",
		scans, moves, sum.Told, sum.Steady, sum.Changing, sum.Unread, len(sum.False)))
	truth.Fail(t.Errorf, "false", sum.False)
	if sum.Steady == 0 {
		t.Errorf("%d scans in %s, and no root stood still during one: nothing could be wrong", scans, churnTime)
	}
}

func compareForests(t *T, source scan.Source, cfg truth.Config) {
	seeds, first, processes := t.Number("seeds", 4), t.Number("first", 1), t.Number("processes", 64)
	var all, tasks, workers, layers, bad int
	for seed := first; seed < first+seeds; seed++ {
		f, err := truth.Start(context.Background(), actor, truth.Options{Seed: uint64(seed), Processes: processes})
		t.Must(err)
		snap := scanOnce(t, source)
		found := truth.Compare(snap, f.Truth, cfg)
		all, tasks, layers, bad = all+len(f.Truth.Processes), tasks+f.Truth.Tasks(), layers+len(f.Truth.Layers), bad+len(found)
		for i := range f.Truth.Processes {
			workers += len(f.Truth.Processes[i].Workers)
		}
		truth.Fail(t.Errorf, fmt.Sprintf("seed %d", seed), found)
		t.Must(f.Close())
	}
	t.Fact("truth", fmt.Sprintf("%d forests, %d processes, %d tasks, %d workers, %d layers, %d mismatches",
		seeds, all, tasks, workers, layers, bad))
}

// checkChurn scans back to back while processes change as fast as they can: no
// statement may have been false at every instant of its scan. Arguments: scans,
// how many unless they take longer than churnTime; limit, the number of processes; pids,
// kernel.pid_max meanwhile: each PID is used again and again.
func checkChurn(t *T) {
	source := openIterator(t)
	wrap := fewPIDs(t, t.Number("pids", 0))
	churn, err := truth.StartChurn(context.Background(), actor, uint64(time.Now().UnixNano()), t.Number("limit", 24))
	t.Must(err)
	defer func() {
		if err := churn.Close(); err != nil {
			t.Errorf("%v", err)
		}
	}()
	time.Sleep(200 * time.Millisecond) // until the families have their names
	var sum truth.Verdict
	// Until then nothing could have been wrong.
	judged := func() bool { return sum.Steady[scan.Sandboxed] > 0 && sum.Steady[scan.Unsandboxed] > 0 }
	for began := time.Now(); (sum.Scans < t.Number("scans", 15) || !judged()) && time.Since(began) < churnTime; {
		wrap()
		_, err := churn.Look(context.Background(), source, &sum)
		t.Must(err)
	}
	t.Fact("churn", fmt.Sprintf("%d scans, %d observations, %d false, %d changing, %d without a record, steady %v",
		sum.Scans, sum.Total(), len(sum.False), sum.Changing, sum.Unmatched, sum.Steady))
	truth.Fail(t.Errorf, "false", sum.False)
	if !judged() {
		t.Errorf("%d scans in %s, and nothing could have been wrong: steady %v", sum.Scans, churnTime, sum.Steady)
	}
}

// fewPIDs sets kernel.pid_max, if n is not 0, until the check ends. It returns what has the
// kernel begin anew with the first PIDs that it uses again, so that each is soon another
// process's, however slow the machine is.
func fewPIDs(t *T, n int) (wrap func()) {
	if n == 0 {
		return func() {}
	}
	const limit, last = "/proc/sys/kernel/pid_max", "/proc/sys/kernel/ns_last_pid"
	before, err := os.ReadFile(limit)
	t.Must(err)
	t.Must(os.WriteFile(limit, []byte(strconv.Itoa(n)), 0o644))
	t.Cleanup(func() { t.Must(os.WriteFile(limit, before, 0o644)) })
	return func() { t.Must(os.WriteFile(last, []byte(strconv.Itoa(n-1)), 0o644)) }
}

// churnTime bounds a churn on a slow machine: fewer scans than asked for are no
// fault, and their number is printed.
const churnTime = time.Minute
