// SPDX-License-Identifier: Apache-2.0

package patient

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// most is how many calls may be under way.
const most = 64

func quick() (string, error) { return "answer", nil }

// TestWithin: what a call returns is passed on, and one that does not end is left to itself.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		failed := errors.New("failed")
		if n, err := Within(ctx, func() (int, error) { return 7, failed }); n != 7 || !errors.Is(err, failed) {
			t.Errorf("%d, %v", n, err)
		}
		stop := make(chan struct{})
		defer close(stop)
		n, err := Within(ctx, func() (int, error) { <-stop; return 7, nil })
		if n != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// TestDo: the clock is the test's own, so that every time is exact.
func TestDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int, string](most)
		if got, err := c.Do(1, 1, quick); got != "answer" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		failed := errors.New("failed")
		if _, err := c.Do(1, 1, func() (string, error) { return "", failed }); !errors.Is(err, failed) {
			t.Errorf("error %v, want the call's", err)
		}
		release := make(chan bool)
		hang := func() (string, error) { <-release; return "late", nil }
		began := time.Now()
		if _, err := c.Do(1, 2, hang); !errors.Is(err, ErrDelayed) || time.Since(began) != patience {
			t.Errorf("%v after %s, want it given up after %s", err, time.Since(began), patience)
		}
		began = time.Now()
		if _, err := c.Do(1, 2, quick); !errors.Is(err, ErrDelayed) || time.Since(began) != 0 {
			t.Errorf("%v after %s: it is made again while it is under way", err, time.Since(began))
		}
		// Others of the same account are read nevertheless.
		if got, err := c.Do(1, 3, quick); got != "answer" || err != nil {
			t.Errorf("another call: %q, %v", got, err)
		}
		close(release)
		synctest.Wait()
		if got, err := c.Do(1, 2, quick); got != "answer" || err != nil {
			t.Errorf("once it answered: %q, %v", got, err)
		}
	})
}

// TestAccounts: whoever delays calls makes nobody wait longer than his budget, holds no
// more threads than are his, and delays nothing of others.
func TestAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int, string](most)
		release := make(chan bool)
		defer func() { close(release); synctest.Wait() }()
		var made atomic.Int32
		hang := func() (string, error) { made.Add(1); <-release; return "", nil }
		key := 0
		for rounds := range 5 {
			began := time.Now()
			for range 1000 {
				key++
				if _, err := c.Do(1, key, hang); !errors.Is(err, ErrDelayed) {
					t.Fatal(err)
				}
			}
			if d := time.Since(began); d > budget {
				t.Errorf("round %d: all waited %s", rounds, d)
			}
			if got, err := c.Do(2, key, quick); got != "answer" || err != nil {
				t.Errorf("another account: %q, %v", got, err)
			}
			time.Sleep(window)
		}
		if n := made.Load(); n != MaxPending {
			t.Errorf("%d calls are under way, want %d", n, MaxPending)
		}
		// Many accounts together, and what they leave.
		for by := range uint64(1000) {
			key++
			_, _ = c.Do(100+by, key, hang)
		}
		if n := made.Load(); n != most {
			t.Errorf("%d calls are under way, want %d", n, most)
		}
	})
}

// TestBusyHost: calls that all take a while, as on a busy host, are made all the same.
func TestBusyHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[int, string](most)
		for i := range 10_000 {
			got, err := c.Do(0, i, func() (string, error) { time.Sleep(usual - 1); return "answer", nil })
			if got != "answer" || err != nil {
				t.Fatalf("call %d: %q, %v", i, got, err)
			}
		}
		for by := range uint64(1000) {
			slow := func() (string, error) { time.Sleep(usual); return "", nil }
			if _, err := c.Do(by, int(by), slow); err != nil {
				t.Fatal(err)
			}
			time.Sleep(window)
		}
		if n := len(c.delays); n == 0 || n > 2 {
			t.Errorf("%d accounts are remembered", n)
		}
	})
}
