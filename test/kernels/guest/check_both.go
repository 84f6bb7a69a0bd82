// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"

	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/truth"
)

// checkBoth reads random forests with both sources at once: no disagreement
// between them, no mismatch with the truth, and no inferred depth beyond the
// true one. Argument: seeds.
func checkBoth(t *T) {
	iterator := openIterator(t)
	attribute, err := procattr.Open(procattr.Options{})
	if err != nil {
		t.Fatalf("procattr.Open: %v", err)
	}
	defer attribute.Close()
	var said bytes.Buffer
	both := sources.NewBoth(iterator, attribute, slog.New(slog.NewTextHandler(&said, nil)))
	var bad, inferred, equal int
	seeds := t.Number("seeds", 20)
	for seed := 1; seed <= seeds; seed++ {
		f, err := truth.Start(context.Background(), actor, truth.Options{Seed: uint64(seed)})
		t.Must(err)
		snap := scanOnce(t, both)
		for _, m := range truth.Compare(snap, f.Truth, truth.Config{}) {
			bad++
			t.Errorf("seed %d: %v", seed, m)
		}
		lower := scanOnce(t, attribute)
		for _, p := range f.Truth.Processes {
			known, concluded := snap.Find(p.PID), lower.Find(p.PID)
			if known == nil || concluded == nil || known.State != scan.Sandboxed || concluded.State != scan.Sandboxed {
				continue
			}
			inferred++
			if concluded.Depth > known.Depth {
				t.Errorf("seed %d: process %d has depth %d, and %d was inferred", seed, p.PID, known.Depth, concluded.Depth)
			}
			if concluded.Depth == known.Depth {
				equal++
			}
		}
		t.Must(f.Close())
	}
	if n := both.Disagreements(); n > 0 {
		t.Errorf("%d disagreements: %s", n, said.String())
	}
	t.Fact("both", fmt.Sprintf("%d forests: %d disagreements, %d mismatches; inferred depth equals the true one for %d of %d processes",
		seeds, both.Disagreements(), bad, equal, inferred))
}
