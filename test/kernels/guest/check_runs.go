// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/test/truth"
)

// checkRuns compares what the kernel counted of processes that ended with what these were.
// Arguments: seeds; lives that begin with each; quick, how many more live for a
// millisecond, once; skips, how often a program is to be skipped at least, with more seeds if
// need be.
func checkRuns(t *T) {
	state, files, err := trace.Open(btf.NewCache(), openIterator(t).Layout())
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
	seeds, skips := t.Number("seeds", 2), uint64(t.Number("skips", 0))
	for seed := 1; seed <= seeds || feed.Skipped() < skips; seed++ {
		opts := truth.RunsOptions{Seed: uint64(seed), Lives: t.Number("lives", 16), Groups: groups}
		quick := 0
		if seed == 1 {
			quick = t.Number("quick", 200)
		}
		// Where tracepoints can be interrupted (Linux 7.0), the kernel skips both programs of
		// an event at times. That is stated, and then, and only then, it is tried again. Of
		// fewer ends fewer are skipped, until none is.
		for n := 0; ; n++ {
			opts.Quick = quick >> n
			played, err := truth.PlayRuns(context.Background(), actor, opts)
			t.Must(err)
			drained, err := feed.Drain()
			t.Must(err)
			ended, attempts = ended+len(played.Ends), attempts+1
			found := truth.CompareRuns(drained.Cells, played, ages)
			stated := drained.Missed > missed
			missed = drained.Missed
			if len(found) == 0 {
				break
			}
			if !stated || n == mostSkips {
				t.Errorf("seed %d: both programs of %d events at most were skipped in all", seed, missed)
				truth.Fail(t.Errorf, fmt.Sprintf("seed %d", seed), found)
				break
			}
		}
	}
	t.Fact("runs", fmt.Sprintf("%d stretches of lives ended, in %d attempts; programs were skipped %d times, both of an event %d times at most",
		ended, attempts, feed.Skipped(), missed))
}

// mostSkips is how often a seed is tried again.
const mostSkips = 20
