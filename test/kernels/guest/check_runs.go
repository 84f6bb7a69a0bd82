// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/test/truth"
)

// checkRuns compares what the kernel counted of processes that ended with what these were.
// Arguments: seeds; lives that begin with each; quick, how many more live for a
// millisecond, once.
func checkRuns(t *T) {
	state, files, err := trace.Open(openIterator(t).Layout())
	if err != nil {
		t.Fatalf("trace.Open: %s", explain(err))
	}
	feed, err := trace.NewReader(state, files)
	t.Must(err)
	defer func() { t.Must(feed.Close()) }()
	ages := []time.Duration{30 * time.Millisecond, 500 * time.Millisecond}
	t.Must(feed.Ask(ages, false))
	groups, err := truth.MakeGroups(cgroupfs.Find("/proc", "/sys/fs/cgroup"), "truth", 3)
	t.Must(err)
	defer func() { t.Must(groups.Remove()) }()
	ended, attempts, missed := 0, 0, uint64(0)
	for seed := 1; seed <= t.Number("seeds", 2); seed++ {
		opts := truth.RunsOptions{Seed: uint64(seed), Lives: t.Number("lives", 16), Groups: groups}
		if seed == 1 {
			opts.Quick = t.Number("quick", 200)
		}
		// Where tracepoints can be interrupted (Linux 7.0), an emulated kernel skips both
		// programs of an event at times. Then, and only then, it is tried again.
		for n := 0; ; n++ {
			skipped := feed.Skipped()
			played, err := truth.PlayRuns(context.Background(), actor, opts)
			t.Must(err)
			drained, err := feed.Drain()
			t.Must(err)
			ended, attempts = ended+len(played.Ends), attempts+1
			found := truth.CompareRuns(drained.Cells, played, ages)
			if drained.Missed == missed && len(found) == 0 {
				break
			}
			missed = drained.Missed
			if feed.Skipped() == skipped || n == mostSkips {
				t.Errorf("seed %d: %d ends are missed in all, with what was skipped", seed, missed)
				truth.Fail(t.Errorf, fmt.Sprintf("seed %d", seed), found)
				break
			}
		}
	}
	t.Fact("runs", fmt.Sprintf("%d stretches of lives ended, in %d attempts", ended, attempts))
}

// mostSkips is how often a seed is tried again.
const mostSkips = 5
