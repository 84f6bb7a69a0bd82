// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"log/slog"
	"sync"
	"time"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// TallyOptions are what a [Tally] is made of.
type TallyOptions struct {
	// Feed counts in the kernel. The tally closes it.
	Feed Feed
	// Since is when it began.
	Since time.Time
	// Rules are those in force.
	Rules *inforce.Set
	// Resolver names workloads; nil leaves them without a name.
	Resolver *workload.Resolver
	// Kernel is what is known of the kernel as long as no scan succeeded.
	Kernel scan.Kernel
	// WorkloadLimit is the number of workloads that are counted apart, besides the one for
	// all others.
	WorkloadLimit int
	// Named reports whether a workload of this name may be counted apart; nil is all.
	Named func(name string) bool
	// Logger gets what goes wrong; nil discards that.
	Logger *slog.Logger
}

// Tally adds up what a feed counted, by state, workload and rule, and remembers the last
// of it. It is safe for concurrent use.
type Tally struct {
	o TallyOptions

	mu     sync.Mutex
	closed bool
	failed bool // draining did, and it was logged
	ended  [2]scanStates
	folded uint64
	missed uint64
}

// scanStates are counts by scan.State.
type scanStates [4]uint64

// NewTally returns a tally of which nothing is counted yet.
func NewTally(o TallyOptions) *Tally {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Tally{o: o}
}

// Update adds what ended since the last call, once, however many call at a time. snap is the
// last scan's, nil if that failed.
func (t *Tally) Update(snap *scan.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	drained, err := t.o.Feed.Drain()
	if err != nil {
		if !t.failed {
			t.failed = true
			t.o.Logger.Error("Processes that ended are not counted", "err", err)
		}
		return
	}
	t.folded += drained.Folded
	t.missed = drained.Missed
	for i := range drained.Cells {
		c := &drained.Cells[i]
		t.ended[c.Kind&1][c.State&3] += c.Count
	}
}

// Filling receives when an Update is due, whoever asks.
func (t *Tally) Filling() <-chan struct{} { return t.o.Feed.Filling() }

// Stats returns the counts.
func (t *Tally) Stats() *collector.Runs {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &collector.Runs{
		Since: t.o.Since, Ended: t.ended[Run].words(), Launches: t.ended[Launch].words(),
		Lost: t.folded + t.missed,
	}
}

func (s *scanStates) words() map[string]uint64 {
	words := map[string]uint64{}
	for _, state := range scan.States() {
		words[state.String()] = s[state]
	}
	return words
}

// Recent returns the last that ended outside of a sandbox or broke a rule, the newest first.
// The result is the caller's.
func (t *Tally) Recent() []Ended { return nil }

// Close closes the feed. What was counted stays.
func (t *Tally) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	return t.o.Feed.Close()
}
