// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeSource takes a while, and returns what its test wants. It fails the test
// if Shared breaks a rule of Source.
type fakeSource struct {
	t        *testing.T
	takes    time.Duration
	stubborn bool // does not listen to its context
	fail     func(n int) error

	running, scans atomic.Int32
	closed         atomic.Bool
	mu             sync.Mutex
	ended          []end
}

// end is how scan number n, which is in its snapshot's Passes, ended.
type end struct {
	at     time.Time
	failed bool
}

func (f *fakeSource) Scan(ctx context.Context) (*Snapshot, error) {
	if f.running.Add(1) != 1 || f.closed.Load() {
		f.t.Error("Scan during another one, or after Close")
	}
	defer f.running.Add(-1)
	n := int(f.scans.Add(1))
	begin := time.Now()
	var err error
	if f.stubborn {
		time.Sleep(f.takes)
	} else {
		select {
		case <-time.After(f.takes):
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err == nil && f.fail != nil {
		err = f.fail(n)
	}
	f.mu.Lock()
	f.ended = append(f.ended, end{time.Now(), err != nil})
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return &Snapshot{Time: begin, Passes: n}, nil
}

func (f *fakeSource) Close() error {
	if f.running.Load() != 0 || f.closed.Swap(true) {
		f.t.Error("Close during a Scan, or a second one")
	}
	return errors.New("source's close error")
}

func TestSharedOneScanForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: 100 * time.Millisecond}
		s := NewShared(src, SharedOptions{})
		defer s.Close()
		var wg sync.WaitGroup
		snaps := make([]*Snapshot, 50)
		for i := range snaps {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				snap, err := s.Scan(t.Context())
				if err != nil {
					t.Error(err)
				}
				snaps[i] = snap
			})
		}
		wg.Wait()
		for _, snap := range snaps {
			if snap != snaps[0] {
				t.Fatal("readers of one scan got different snapshots")
			}
		}
		if n := src.scans.Load(); n != 1 {
			t.Fatalf("%d scans, want 1", n)
		}
	})
}

func TestSharedAgeCountsFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: 400 * time.Millisecond}
		s := NewShared(src, SharedOptions{MinInterval: time.Second})
		defer s.Close()
		for _, step := range []struct {
			sleep time.Duration
			scans int32
		}{
			{0, 1},                        // ends at 0.4 s
			{600*time.Millisecond - 1, 1}, // just below 1 s
			{1, 2},                        // 1 s: a new one, to 1.4 s
			{10 * time.Second, 3},
		} {
			time.Sleep(step.sleep)
			if _, err := s.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := src.scans.Load(); n != step.scans {
				t.Fatalf("%d scans, want %d", n, step.scans)
			}
		}
	})
}

func TestIsYoung(t *testing.T) {
	for _, c := range []struct {
		monotonic, wall time.Duration
		want            bool
	}{
		{0, 0, true},
		{999, 999, true},
		{1000, 1000, false},
		{10, 3_600_000, false}, // the host was suspended
		{10, -1, false},        // the wall clock was set back
		{5000, 10, false},      // and back by less than the age
	} {
		if got := isYoung(c.monotonic, c.wall, 1000); got != c.want {
			t.Errorf("isYoung(%v, %v) = %v", c.monotonic, c.wall, got)
		}
	}
}

func TestSharedSlowScanIsNotReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: 3 * time.Second}
		s := NewShared(src, SharedOptions{MinInterval: time.Second})
		defer s.Close()
		for range 3 {
			if _, err := s.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := src.scans.Load(); n != 3 {
			t.Fatalf("%d scans, want 3: each was older than MinInterval at its end", n)
		}
	})
}

func TestSharedNegativeIntervalNeverReuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t}
		s := NewShared(src, SharedOptions{MinInterval: -1})
		defer s.Close()
		for range 3 {
			if _, err := s.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n := src.scans.Load(); n != 3 {
			t.Fatalf("%d scans, want 3", n)
		}
	})
}

func TestSharedWaiterDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: 10 * time.Second}
		s := NewShared(src, SharedOptions{})
		defer s.Close()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Scan(t.Context()); err != nil {
				t.Errorf("patient reader: %v", err)
			}
		})
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Scan(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("hasty reader: %v after %v", err, time.Since(begin))
		}
		cancelled, stop := context.WithCancel(t.Context())
		stop()
		if _, err := s.Scan(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled reader: %v", err)
		}
		wg.Wait()
		st := s.Stats()
		if st.Errors["timeout"] != 1 || st.Errors["internal"] != 0 || st.Finished != 1 || st.LastDuration != 10*time.Second {
			t.Errorf("stats: %+v", st)
		}
		if n := src.scans.Load(); n != 1 {
			t.Errorf("%d scans, want 1", n)
		}
	})
}

func TestSharedExpiredReaderStartsNothing(t *testing.T) {
	src := &fakeSource{t: t}
	s := NewShared(src, SharedOptions{})
	defer s.Close()
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if _, err := s.Scan(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if src.scans.Load() != 0 {
		t.Error("a scan was started for nobody")
	}
}

// A source that hangs costs one goroutine, however many readers come.
func TestSharedHangingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: time.Hour, stubborn: true}
		s := NewShared(src, SharedOptions{})
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := s.Scan(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			cancel()
		}
		if n := src.scans.Load(); n != 1 {
			t.Fatalf("%d scans, want 1", n)
		}
		if st := s.Stats(); st.Errors["timeout"] != 100 || st.Finished != 0 {
			t.Fatalf("stats: %+v", st)
		}
		begin := time.Now()
		s.Close()
		if waited := time.Since(begin); waited != time.Hour-100*time.Second {
			t.Fatalf("Close waited %v", waited)
		}
	})
}

func TestSharedScanTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: time.Hour}
		s := NewShared(src, SharedOptions{Timeout: 5 * time.Second})
		defer s.Close()
		begin := time.Now()
		if _, err := s.Scan(t.Context()); FailureReason(err) != "timeout" || time.Since(begin) != 5*time.Second {
			t.Fatalf("%v after %v", err, time.Since(begin))
		}
		if st := s.Stats(); st.Errors["timeout"] != 1 || !st.LastSuccess.IsZero() {
			t.Fatalf("stats: %+v", st)
		}
	})
}

func TestSharedFailureHidesOlderSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, fail: func(n int) error {
			if n == 2 {
				return fmt.Errorf("read: %w", failure("lockdown"))
			}
			return nil
		}}
		s := NewShared(src, SharedOptions{Reasons: []string{"no_btf", "lockdown", "Not A Reason"}})
		defer s.Close()
		first := time.Now()
		if _, err := s.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		for range 2 { // the second time from memory
			if snap, err := s.Scan(t.Context()); snap != nil || FailureReason(err) != "lockdown" {
				t.Fatal(snap, err)
			}
		}
		st := s.Stats()
		if want := (map[string]uint64{"timeout": 0, "internal": 0, "no_btf": 0, "lockdown": 1}); fmt.Sprint(st.Errors) != fmt.Sprint(want) {
			t.Fatalf("errors %v, want %v", st.Errors, want)
		}
		if !st.LastSuccess.Equal(first) || st.Finished != 2 {
			t.Fatalf("stats: %+v", st)
		}
		time.Sleep(time.Second)
		if snap, err := s.Scan(t.Context()); err != nil || snap.Passes != 3 {
			t.Fatal(snap, err)
		}
		st.Errors["timeout"] = 7
		if s.Stats().Errors["timeout"] != 0 {
			t.Fatal("Stats shares its map")
		}
	})
}

func TestSharedUnusable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewShared(Unusable(failure("no_btf")), SharedOptions{})
		for range 3 {
			if _, err := s.Scan(t.Context()); FailureReason(err) != "no_btf" {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := s.Stats().Errors["no_btf"]; n != 3 {
			t.Fatalf("%d errors, want 3", n)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

type emptySource struct{}

func (emptySource) Scan(context.Context) (*Snapshot, error) { return nil, nil }
func (emptySource) Close() error                            { return nil }

func TestSharedNoSnapshotIsAnError(t *testing.T) {
	s := NewShared(emptySource{}, SharedOptions{})
	defer s.Close()
	if _, err := s.Scan(t.Context()); FailureReason(err) != "internal" {
		t.Fatal(err)
	}
}

func TestSharedClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: time.Hour}
		s := NewShared(src, SharedOptions{Timeout: 2 * time.Hour})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := s.Scan(t.Context()); !errors.Is(err, ErrClosed) {
					t.Errorf("reader during Close: %v", err)
				}
			})
		}
		synctest.Wait()
		for range 3 {
			wg.Go(func() {
				if err := s.Close(); err == nil || err.Error() != "source's close error" {
					t.Errorf("Close: %v", err)
				}
			})
		}
		wg.Wait()
		if !src.closed.Load() {
			t.Error("the source is open")
		}
		if _, err := s.Scan(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("reader after Close: %v", err)
		}
		if st := s.Stats(); st.Errors["internal"] != 0 {
			t.Errorf("Close counted as an error: %+v", st)
		}
	})
}

// Whatever readers do: what they get is young, in time, and not older than a
// failure that they could have known of.
func TestSharedProperties(t *testing.T) {
	const interval = time.Second
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			src := &fakeSource{t: t, takes: time.Duration(rnd.IntN(2500)) * time.Millisecond, stubborn: seed%3 == 0}
			src.fail = func(n int) error {
				if n%3 == int(seed%4) {
					return failure("flaky")
				}
				return nil
			}
			s := NewShared(src, SharedOptions{MinInterval: interval})
			var wg sync.WaitGroup
			for range 40 {
				pauses := make([]time.Duration, 20)
				limits := make([]time.Duration, len(pauses))
				for i := range pauses {
					pauses[i] = time.Duration(rnd.IntN(3000)) * time.Millisecond
					limits[i] = time.Duration(rnd.IntN(4000)) * time.Millisecond
				}
				wg.Go(func() {
					for i := range pauses {
						time.Sleep(pauses[i])
						check(t, s, src, interval, limits[i])
					}
				})
			}
			wg.Wait()
			s.Close()
		})
	}
}

// check makes one read of s and judges what it got.
func check(t *testing.T, s *Shared, src *fakeSource, interval, limit time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	came := time.Now()
	snap, err := s.Scan(ctx)
	if waited := time.Since(came); waited > limit {
		t.Errorf("waited %v with a deadline of %v", waited, limit)
	}
	if err != nil {
		if r := FailureReason(err); r != "flaky" && r != "timeout" {
			t.Errorf("unexpected error %v", err)
		}
		return
	}
	src.mu.Lock()
	defer src.mu.Unlock()
	if mine := src.ended[snap.Passes-1]; mine.at.Before(came) && came.Sub(snap.Time) >= interval {
		t.Errorf("an old snapshot: began %v before the reader came, ended %v before", came.Sub(snap.Time), came.Sub(mine.at))
	}
	for n := snap.Passes; n < len(src.ended); n++ {
		if e := src.ended[n]; e.failed && e.at.Before(came) {
			t.Errorf("snapshot of scan %d, but scan %d had failed when the reader came", snap.Passes, n+1)
		}
	}
}

func TestSharedScanSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, takes: 100 * time.Millisecond}
		s := NewShared(src, SharedOptions{MinInterval: time.Minute})
		defer s.Close()
		began := time.Now()
		if _, err := s.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, c := range []struct{ since, ends time.Duration }{
			{0, 100 * time.Millisecond},                       // the scan that is there
			{100 * time.Millisecond, 1100 * time.Millisecond}, // a new one, 1 s after the first
			{500 * time.Millisecond, 1100 * time.Millisecond}, // the same
			{1100 * time.Millisecond, 2100 * time.Millisecond},
		} {
			snap, err := s.ScanSince(t.Context(), began.Add(c.since), Pace{Pause: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if snap.Time.Before(began.Add(c.since)) || time.Since(began) != c.ends {
				t.Errorf("step %d: a scan of %v, after %v", i, snap.Time.Sub(began), time.Since(began))
			}
		}
		// While one runs that began too early, it is waited for.
		time.Sleep(2 * time.Minute)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Scan(t.Context()); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(50 * time.Millisecond)
		now := time.Now()
		if snap, err := s.ScanSince(t.Context(), now, Pace{Pause: time.Second}); err != nil || snap.Time.Before(now) || time.Since(now) != 1050*time.Millisecond {
			t.Errorf("%v, after %v", err, time.Since(now))
		}
		wg.Wait()
		if n := src.scans.Load(); n != 5 {
			t.Errorf("%d scans, want 5", n)
		}
		// Who is to leave scans their rest waits so long, but for a scan of somebody else.
		now = time.Now()
		if _, err := s.ScanSince(t.Context(), now, Pace{time.Second, 50}); err != nil || time.Since(now) != 5*time.Second {
			t.Errorf("%v, after %v", err, time.Since(now))
		}
		wg.Go(func() {
			time.Sleep(1500 * time.Millisecond) // between two looks of the other one
			if _, err := s.ScanSince(t.Context(), time.Now(), Pace{Pause: time.Second}); err != nil {
				t.Error(err)
			}
		})
		now = time.Now()
		if _, err := s.ScanSince(t.Context(), now, Pace{time.Second, 50}); err != nil || time.Since(now) > 3*time.Second {
			t.Errorf("%v, after %v", err, time.Since(now))
		}
		wg.Wait()
		// A reader that does not wait leaves no scan behind.
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := s.ScanSince(ctx, time.Now(), Pace{Pause: time.Second}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if _, err := s.ScanSince(ctx, time.Now(), Pace{Pause: time.Second}); !errors.Is(err, context.DeadlineExceeded) || src.scans.Load() != 7 {
			t.Errorf("%v, %d scans", err, src.scans.Load())
		}
	})
}

func TestSharedScanSinceFailsAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{t: t, fail: func(int) error { return failure("no_btf") }}
		s := NewShared(src, SharedOptions{})
		if _, err := s.ScanSince(t.Context(), time.Now(), Pace{Pause: time.Second}); FailureReason(err) != "no_btf" {
			t.Errorf("%v", err)
		}
		_ = s.Close()
		if _, err := s.ScanSince(t.Context(), time.Now(), Pace{Pause: time.Second}); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	})
}
