// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// fakeSource returns a snapshot for each scan, with their number as Passes.
type fakeSource struct {
	scans int
	err   error
}

func (f *fakeSource) Scan(context.Context) (*scan.Snapshot, error) {
	f.scans++
	return &scan.Snapshot{Passes: f.scans}, f.err
}

func (f *fakeSource) Close() error { return nil }

func unhurried() deadline { return deadline{context.Background(), time.Minute} }

// A host is looked at again because of what was not known, but not for ever.
func TestLookUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for known, want := range map[int]int{1: 1, 2: 2, maxLooks: maxLooks, maxLooks + 1: maxLooks} {
			src := &fakeSource{}
			var favoured []int32 // what each look is about, before the next
			snap, err := lookUntil(unhurried(), src, func(pids []int32) { favoured = append(favoured, pids...) },
				func(s *scan.Snapshot) (bool, []int32) { return s.Passes == known, []int32{int32(s.Passes)} })
			if err != nil || src.scans != want || snap.Passes != want || len(favoured) != want-1 {
				t.Errorf("known in scan %d: %d scans, snapshot %+v, %v", known, src.scans, snap, err)
			}
		}
		src := &fakeSource{err: errors.New("x")}
		if _, err := lookUntil(unhurried(), src, nil, func(*scan.Snapshot) (bool, []int32) { return false, nil }); err == nil || src.scans != 1 {
			t.Errorf("a scan that fails: %v, %d scans", err, src.scans)
		}
	})
}
