// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

// Defaults of [SharedOptions].
const (
	defaultMinInterval = time.Second
	defaultScanTimeout = time.Minute
)

// ErrClosed is the error of a [Shared.Scan] that met [Shared.Close].
var ErrClosed = errors.New("scans are closed")

// SharedOptions are the limits of a [Shared]. The zero value means the defaults.
type SharedOptions struct {
	// MinInterval is the least time between the starts of two scans: what
	// a younger scan returned is returned again. Negative: never again.
	MinInterval time.Duration
	// Timeout is the deadline of one scan, however long readers would wait.
	Timeout time.Duration
	// Reasons are the failure reasons to count from 0, so that a first
	// failure is an increase that can be seen. "timeout" and "internal"
	// are always among them.
	Reasons []string
}

// Stats is what a [Shared] counted since it was made.
type Stats struct {
	// Errors is the number of failures by reason: of scans, and of readers
	// whose deadline passed while they waited for one ("timeout"). Readers
	// that were cancelled are not counted: nothing failed.
	Errors map[string]uint64
	// LastSuccess is the wall-clock time at which the last scan that
	// succeeded began; zero if none did.
	LastSuccess time.Time
	// Finished is the number of scans that ended, in success or failure.
	Finished uint64
	// LastDuration is how long the last of them took.
	LastDuration time.Duration
}

// Shared lets concurrent readers share the scans of one [Source]. It is itself
// a Source, and safe for concurrent use.
//
// At most one scan runs at any time, in a goroutine of its own. A reader that
// comes while it runs joins it; one that comes later gets the same result
// again, be it a snapshot or an error, as long as that is younger than
// MinInterval. Errors are kept like snapshots, so that nothing that a reader
// does makes a host scan more often; and a snapshot is forgotten when the next
// scan begins, so that none can be served in place of a failed one.
//
// A result's age counts from the start of its scan, because the oldest fact in
// it may be that old.
//
// A scan that lost its readers goes on: if it were cancelled, clients that
// connect and leave could keep a host scanning without pause.
type Shared struct {
	src       Source
	options   SharedOptions
	ctx       context.Context // ends at Close
	closeOnce func() error

	mu     sync.Mutex
	closed bool
	last   *attempt // the scan that runs, or the last one; nil before the first
	stats  Stats
}

// attempt is one scan. Its result may be read once done is closed.
type attempt struct {
	start time.Time
	done  chan struct{}
	ended bool // guarded by Shared.mu
	snap  *Snapshot
	err   error
}

// NewShared returns a Shared that owns src: nobody else may use it any more.
func NewShared(src Source, o SharedOptions) *Shared {
	if o.MinInterval == 0 {
		o.MinInterval = defaultMinInterval
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultScanTimeout
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Shared{src: src, options: o, ctx: ctx}
	s.stats.Errors = map[string]uint64{ReasonTimeout: 0, ReasonInternal: 0}
	for _, reason := range o.Reasons {
		if isReason(reason) {
			s.stats.Errors[reason] = 0
		}
	}
	s.closeOnce = sync.OnceValue(func() error {
		s.mu.Lock()
		s.closed = true
		a := s.last
		s.mu.Unlock()
		cancel()
		if a != nil {
			<-a.done
		}
		return src.Close()
	})
	return s
}

// Scan returns the snapshot of a scan that runs, of one that is younger than
// MinInterval, or of a new one. It waits no longer than ctx: then the error
// wraps ctx's, and the scan goes on for others. Every other error is the
// scan's, or [ErrClosed]. The snapshot is shared and must not be changed.
func (s *Shared) Scan(ctx context.Context) (*Snapshot, error) {
	if ctx.Err() != nil {
		return nil, s.giveUp(ctx)
	}
	a, err := s.join()
	if err != nil {
		return nil, err
	}
	return s.result(ctx, a)
}

// result waits for the result of an attempt.
func (s *Shared) result(ctx context.Context, a *attempt) (*Snapshot, error) {
	select {
	case <-a.done:
		return a.snap, a.err
	case <-ctx.Done():
	}
	// Both may have happened: a result that is there is not thrown away.
	select {
	case <-a.done:
		return a.snap, a.err
	default:
		return nil, s.giveUp(ctx)
	}
}

// Pace is how often a host is scanned for the sake of a reader who needs new results: not before
// a time has gone by since the last scan began, nor Rest times as long as that took.
type Pace struct {
	Pause time.Duration
	Rest  int
}

// ScanSince is Scan for a reader who needs a result of a scan that began at a
// time or later, whatever MinInterval is. It may have to wait as its pace says.
func (s *Shared) ScanSince(ctx context.Context, since time.Time, pace Pace) (*Snapshot, error) {
	for {
		if ctx.Err() != nil {
			return nil, s.giveUp(ctx)
		}
		a, pause, err := s.joinSince(since, pace)
		if err != nil {
			return nil, err
		}
		if a != nil && !a.start.Before(since) {
			return s.result(ctx, a)
		}
		var over <-chan struct{}
		if a != nil {
			over = a.done
		}
		select {
		case <-over:
		case <-time.After(pause): // of no meaning while a scan runs
		case <-ctx.Done():
		}
	}
}

// joinSince returns the attempt that began since then, a new one if there is none;
// or one that runs and must end first; or how long to wait before asking again.
func (s *Shared) joinSince(since time.Time, pace Pace) (*attempt, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, 0, ErrClosed
	}
	if a := s.last; a != nil {
		age := time.Since(a.start)
		least := max(pace.Pause, time.Duration(pace.Rest)*s.stats.LastDuration)
		switch {
		case !a.start.Before(since):
			return a, 0, nil
		case !a.ended:
			return a, s.options.Timeout, nil
		case age >= 0 && age < least:
			// Not longer, as somebody else may begin one.
			return nil, min(time.Second, least-age), nil
		}
	}
	return s.begin(), 0, nil
}

// Stats returns a copy of the counts.
func (s *Shared) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.stats
	c.Errors = maps.Clone(s.stats.Errors)
	return c
}

// Close cancels a running scan, waits for its end and closes the source. Its
// readers and all later ones get [ErrClosed]. It may be called more than once
// and returns the source's error each time.
func (s *Shared) Close() error { return s.closeOnce() }

// join returns the attempt whose result a reader that comes now must get.
func (s *Shared) join() (*attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	now := time.Now()
	if a := s.last; a != nil {
		wall := now.Round(0).Sub(a.start.Round(0)) // Round(0) strips the monotonic clock
		if !a.ended || isYoung(now.Sub(a.start), wall, s.options.MinInterval) {
			return a, nil
		}
	}
	return s.begin(), nil
}

// begin starts a scan. Its caller holds the lock, and none runs.
func (s *Shared) begin() *attempt {
	a := &attempt{start: time.Now(), done: make(chan struct{})}
	s.last = a
	go s.run(a)
	return a
}

// isYoung judges an age by both clocks, because the monotonic one stands still
// while a host is suspended, and the wall clock can be set.
func isYoung(monotonic, wall, limit time.Duration) bool {
	return monotonic < limit && wall >= 0 && wall < limit
}

// run makes one scan and publishes its result.
func (s *Shared) run(a *attempt) {
	ctx, cancel := context.WithTimeout(s.ctx, s.options.Timeout)
	defer cancel()
	snap, err := s.src.Scan(ctx)
	if err == nil && snap == nil {
		err = errors.New("source returned no snapshot")
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	a.ended = true
	s.stats.Finished++
	s.stats.LastDuration = time.Since(a.start)
	switch {
	case err == nil:
		a.snap = snap
		s.stats.LastSuccess = a.start
	case s.closed:
		a.err = fmt.Errorf("%w: %w", ErrClosed, err)
	default:
		a.err = err
		s.stats.Errors[FailureReason(err)]++
	}
	close(a.done)
}

// giveUp returns the error of a reader whose own context ended.
func (s *Shared) giveUp(ctx context.Context) error {
	err := fmt.Errorf("wait for a scan: %w", ctx.Err())
	if errors.Is(err, context.DeadlineExceeded) {
		s.mu.Lock()
		s.stats.Errors[ReasonTimeout]++
		s.mu.Unlock()
	}
	return err
}

// Unusable returns a source every scan of which fails with err: it stands for the
// source that this host cannot have, so that the daemon can report why.
func Unusable(err error) Source { return unusable{err} }

type unusable struct{ err error }

func (u unusable) Scan(context.Context) (*Snapshot, error) { return nil, u.err }

func (u unusable) Close() error { return nil }
