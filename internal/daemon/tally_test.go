// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// filling is a feed in which one process ended before each time that it fills.
type filling struct {
	full   chan struct{}
	closed bool
}

func (f *filling) Drain() (runs.Drained, error) {
	if f.closed {
		return runs.Drained{}, errors.New("closed")
	}
	return runs.Drained{Cells: []runs.Cell{{Key: runs.Key{State: scan.Unsandboxed}, Count: 1}}}, nil
}

func (f *filling) Ask([]time.Duration, bool) error { return nil }
func (f *filling) Mark([]runs.Process)             {}
func (f *filling) Filling() <-chan struct{}        { return f.full }
func (f *filling) Close() error                    { f.closed = true; return nil }

// What ended is added up when there is no room for more, though nobody scrapes; now and then at
// most; and no more once the daemon stops.
func TestKeepRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := &filling{full: make(chan struct{}, 1)}
		rules, err := inforce.New(inforce.Options{Load: func() (*policy.Config, error) { return policy.Default(), nil }})
		if err != nil {
			t.Fatal(err)
		}
		tally := runs.NewTally(runs.TallyOptions{Feed: feed, Rules: rules})
		stop := keepRoom(tally)
		has := func(want uint64) {
			t.Helper()
			synctest.Wait()
			if got := tally.Stats().Ended["unsandboxed"]; got != want {
				t.Errorf("%d runs, want %d", got, want)
			}
		}
		has(0)
		feed.full <- struct{}{}
		has(1)
		feed.full <- struct{}{}
		has(1) // not again at once
		time.Sleep(roomPause)
		has(2)
		stop()
		if err := tally.Close(); err != nil || !feed.closed {
			t.Errorf("%v, closed: %v", err, feed.closed)
		}
	})
}

// What ended is shown whether or not a scan succeeds.
func TestRunsWithoutScan(t *testing.T) {
	config := filepath.Join(t.TempDir(), "landlockd.yml")
	if err := os.WriteFile(config, []byte(rules(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	d, url := newDaemon(t, config)
	d.found.Kernel = &scan.Kernel{}
	d.reader, d.feed = scan.Unusable(errors.New("it fails")), &filling{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(ctx, nil) }()
	until(t, url+"/metrics", "landlockd_scan_success 0")
	for range 2 {
		_, before := request(t, http.MethodGet, url+"/metrics")
		n := 0
		_, line, _ := strings.Cut(before, `landlock_runs_total{state="unsandboxed"} `)
		if _, err := fmt.Sscan(line, &n); err != nil || n == 0 {
			t.Fatalf("%v in\n%s", err, before)
		}
		until(t, url+"/metrics", fmt.Sprintf("landlock_runs_total{state=\"unsandboxed\"} %d\n", n+1))
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}
