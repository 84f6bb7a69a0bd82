// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// slowSource is one whose scans end when they are let, whatever their context.
type slowSource struct{ end chan struct{} }

func (s slowSource) Scan(context.Context) (*scan.Snapshot, error) {
	<-s.end
	return nil, errors.New("none")
}

func (slowSource) Close() error { return nil }

// fedLiveness is watched, and counts how often the service manager heard of it.
type fedLiveness struct {
	*liveness
	fed atomic.Int64
}

func watchLiveness(t *testing.T, watchdog time.Duration) *fedLiveness {
	t.Helper()
	l := &fedLiveness{liveness: newLiveness(slog.New(slog.DiscardHandler))}
	t.Cleanup(l.watch(watchdog, func() { l.fed.Add(1) }))
	return l
}

// after lets time pass, and wants to have been fed so often in it, and to hang or not.
func (l *fedLiveness) after(t *testing.T, d time.Duration, fed int, hangs string) {
	t.Helper()
	before := l.fed.Load()
	time.Sleep(d)
	synctest.Wait()
	if n := int(l.fed.Load() - before); n != fed {
		t.Errorf("fed %d times in %s, want %d", n, d, fed)
	}
	if err := l.err(); (err != nil) != (hangs != "") || err != nil && !strings.Contains(err.Error(), hangs) {
		t.Errorf("after %s: %v, want %q", d, err, hangs)
	}
}

// Where nobody asks nothing needs to move, and a scan may take long; what never ends hangs.
func TestLivenessOfScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watchLiveness(t, 0)
		l.after(t, time.Hour, 60, "")
		src := slowSource{make(chan struct{})}
		shared := scan.NewShared(watched{src, &l.scans}, scan.SharedOptions{MinInterval: -1, Timeout: scanTimeout})
		ask := func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := shared.Scan(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
		for range 20 { // as slow as can be: each ends at four times its deadline
			ask()
			l.after(t, 4*scanTimeout, 4, "")
			src.end <- struct{}{}
			synctest.Wait()
		}
		ask()
		if len(l.ends) != 0 {
			t.Errorf("it is to end: %v", <-l.ends)
		}
		l.after(t, stuckAfter+scanTimeout, 5, "scan")
		ask() // whoever comes changes nothing
		l.after(t, time.Hour, 0, "scan")
		if err := <-l.ends; err == nil || !strings.Contains(err.Error(), "scan") {
			t.Errorf("it is to end, as %v", err)
		}
		close(src.end)
		l.after(t, 2*scanTimeout, 2, "")
		if err := shared.Close(); err != nil {
			t.Error(err)
		}
	})
}

// One that hangs beside others that end is no reason to end: it is when all do.
func TestLivenessOfScrapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watchLiveness(t, 0)
		stuck := l.scrapes.begin()
		for range 20 {
			l.scrapes.begin()()
			l.after(t, scanTimeout, 1, "")
		}
		l.scrapes.begin()
		l.after(t, stuckAfter, 4, "scrape")
		stuck()
		l.after(t, scanTimeout, 1, "")
	})
}

// A process that was stopped for long goes on: only looks count.
func TestLivenessAfterStop(t *testing.T) {
	l := newLiveness(slog.New(slog.DiscardHandler))
	defer l.scans.begin()()
	for range 4 {
		l.look(scanTimeout)
	}
	if err := l.err(); err != nil {
		t.Error(err)
	}
	if l.look(scanTimeout); l.err() == nil {
		t.Error("it does not hang after five looks")
	}
}

func TestWatchdogPeriod(t *testing.T) {
	for watchdog, fed := range map[time.Duration]int{0: 10, time.Hour: 10, time.Minute: 20, 10 * time.Second: 120} {
		synctest.Test(t, func(t *testing.T) {
			watchLiveness(t, watchdog).after(t, 10*time.Minute, fed, "")
		})
	}
}

// The unit gives landlockd as long as landlockd gives itself: a host on which nothing else
// gets to run for a while is no reason to end it.
func TestWatchdogOfUnit(t *testing.T) {
	unit, err := os.ReadFile("../../deploy/systemd/landlockd.service")
	if err != nil {
		t.Fatal(err)
	}
	_, after, there := strings.Cut(string(unit), "\nWatchdogSec=")
	text, _, _ := strings.Cut(after, "\n")
	if d, err := time.ParseDuration(text); !there || err != nil || d != stuckAfter {
		t.Errorf("WatchdogSec=%s, %v; want %s", text, err, stuckAfter)
	}
}
