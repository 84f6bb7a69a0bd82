// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// hangingSource is one whose scans never end, from one of them on, whatever its context.
type hangingSource struct {
	fakeSource
	from int
	ends chan struct{}
}

func (h *hangingSource) Scan(ctx context.Context) (*scan.Snapshot, error) {
	if h.scans+1 >= h.from {
		<-h.ends
	}
	return h.fakeSource.Scan(ctx)
}

// Whatever hangs, a look ends in time, and what was found until then counts.
func TestLookEndsInTime(t *testing.T) {
	const never = 100
	for name, c := range map[string]struct {
		scan   int  // which hangs
		judge  bool // hangs
		passes int  // of the snapshot that is returned
		step   string
	}{
		"first scan":  {scan: 1, step: "scanning takes longer than --timeout=30s"},
		"second scan": {scan: 2, passes: 1},
		"judging":     {scan: never, judge: true, step: "judging what was scanned takes longer"},
	} {
		synctest.Test(t, func(t *testing.T) {
			src := &hangingSource{from: c.scan, ends: make(chan struct{})}
			defer close(src.ends)
			limit := lookLimit{timeout: 30 * time.Second}
			d, cancel := limit.begin()
			defer cancel()
			began := time.Now()
			snap, err := lookUntil(d, src, func([]int32) {}, func(*scan.Snapshot) (bool, []int32) {
				if c.judge {
					<-src.ends
				}
				return false, nil
			})
			if took := time.Since(began); took != limit.timeout {
				t.Errorf("%s: it took %s", name, took)
			}
			if c.passes != 0 {
				if err != nil || snap.Passes != c.passes {
					t.Errorf("%s: %+v, %v", name, snap, err)
				}
				return
			}
			if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), c.step) {
				t.Errorf("%s: %+v, %v", name, snap, err)
			}
		})
	}
}

// What could not be judged in time is not half of a result.
func TestOnceEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &hangingSource{from: 1, ends: make(chan struct{})}
		defer close(src.ends)
		o := once{globals: &globals{}, lookLimit: lookLimit{timeout: time.Second}}
		d, cancel := o.begin()
		defer cancel()
		snap, result, err := o.scan(d, src, policy.Default())
		if snap != nil || result != nil || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v, %v", snap, result, err)
		}
	})
}
