// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// openTally returns what adds up processes that ended; nil if they are not counted.
func (d *Daemon) openTally(rules *inforce.Set, resolver *workload.Resolver) *runs.Tally {
	if d.feed == nil {
		return nil
	}
	workloads := &d.o.Metrics.Workloads
	options := runs.TallyOptions{
		Feed: d.feed, Since: d.since, Rules: rules, Kernel: *d.found.Kernel, Logger: d.o.Logger,
		WorkloadLimit: workloads.Limit, Named: workloads.Named, HideWorkloads: workloads.Hide,
		Resolver: resolver,
	}
	return runs.NewTally(options)
}

// roomPause is the least time between two times that keepRoom makes room: users can fill a table
// again and again.
const roomPause = 100 * time.Millisecond

// keepRoom adds up what ended when there will soon be no room for more, as scrapes may not
// come, until its result is called.
func keepRoom(tally *runs.Tally) (stop func()) {
	done := make(chan struct{})
	var keeping sync.WaitGroup
	keeping.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-tally.Filling():
				tally.Update(nil)
			}
			select {
			case <-done:
				return
			case <-time.After(roomPause):
			}
		}
	})
	return func() {
		close(done)
		keeping.Wait()
	}
}

// counting is a source on a host where processes that end are counted.
type counting struct{ scan.Source }

// Scan implements [scan.Source].
func (c counting) Scan(ctx context.Context) (*scan.Snapshot, error) {
	snap, err := c.Source.Scan(ctx)
	if err != nil {
		return nil, err
	}
	snap.Source.Runs = scan.RunsTracepoints // nobody else has it yet
	return snap, nil
}
