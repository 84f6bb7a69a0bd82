// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// scanTimeout is the deadline of one scan.
const scanTimeout = time.Minute

// stuckAfter is how long nothing must move until the daemon hangs. Whatever users make slow
// ends at its own deadline, far sooner; what does not is a fault of landlockd or the kernel,
// which only another start mends.
const stuckAfter = 5 * scanTimeout

// work is something that the daemon does again and again, and that ends each time. It is
// safe for concurrent use, but for its last two members.
type work struct {
	name         string
	begun, ended atomic.Uint64

	seen  uint64        // of ended, at the last look
	still time.Duration // how long some was under way and none ended
}

// begin counts work that is under way until its result is called.
func (w *work) begin() (end func()) {
	w.begun.Add(1)
	return func() { w.ended.Add(1) }
}

// look notes whether something moved since the last look, a while ago.
func (w *work) look(since time.Duration) {
	ended := w.ended.Load()
	if ended != w.seen || w.begun.Load() == ended {
		w.seen, w.still = ended, 0
		return
	}
	w.still += since
}

// liveness resolves out whether the daemon hangs: some scan, or some scrape of what was scanned,
// is under way, and for stuckAfter none ended. Where nobody asks, nothing needs to move.
type liveness struct {
	logger         *slog.Logger
	scans, scrapes work
	hangs          atomic.Pointer[string] // what does not end, or nil
	ends           chan error             // gets why the daemon is to end
}

func newLiveness(logger *slog.Logger) *liveness {
	l := &liveness{logger: logger, ends: make(chan error, 1)}
	l.scans.name, l.scrapes.name = "scan", "scrape"
	return l
}

// watch looks now and then until its result is called, and calls feed at each look at which
// the daemon does not hang: at half of watchdog or sooner, as sd_watchdog_enabled(3) asks
// for. Time is counted by looks, so that none passes while the process is stopped.
func (l *liveness) watch(watchdog time.Duration, feed func()) (stop func()) {
	period := scanTimeout
	if watchdog > 0 {
		period = min(period, watchdog/2)
	}
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			if l.look(period); l.err() == nil {
				feed()
			}
		}
	})
	return func() {
		close(done)
		watching.Wait()
	}
}

func (l *liveness) look(since time.Duration) {
	var hangs *string
	for _, w := range []*work{&l.scans, &l.scrapes} {
		if w.look(since); w.still >= stuckAfter {
			hangs = &w.name
		}
	}
	if before := l.hangs.Swap(hangs); hangs != nil && before == nil {
		l.logger.Error("landlockd hangs: it is to be started anew", "err", l.err())
		select {
		case l.ends <- l.err():
		default: // it ends already
		}
	}
}

// err returns what hangs, or nil.
func (l *liveness) err() error {
	if hangs := l.hangs.Load(); hangs != nil {
		return fmt.Errorf("for %s no %s has ended, and one is under way", stuckAfter, *hangs)
	}
	return nil
}

// watched is a source whose scans are counted.
type watched struct {
	scan.Source
	scans *work
}

// Scan implements [scan.Source].
func (w watched) Scan(ctx context.Context) (*scan.Snapshot, error) {
	defer w.scans.begin()()
	return w.Source.Scan(ctx)
}
