// SPDX-License-Identifier: Apache-2.0

// Package sources chooses between the ways of reading domains, and compares them.
package sources

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/landlockd/landlockd/scan"
)

// Both reads with two sources and counts where they disagree. What it returns
// is the first one's snapshot: one of two instants at once would have been true
// at none.
//
// The first source reads before and after the second, and only processes of
// which it gives the same twice are compared: what differs then is no change
// that happened between.
type Both struct {
	first, second scan.Source
	logger        *slog.Logger
	disagreements atomic.Uint64
}

var _ scan.Source = (*Both)(nil)

// NewBoth returns a source that owns both. The logger gets disagreements.
func NewBoth(first, second scan.Source, logger *slog.Logger) *Both {
	return &Both{first: first, second: second, logger: logger}
}

// Disagreements returns how many were counted, one for each process and kind of
// fact in each scan. It may be called at any time.
func (b *Both) Disagreements() uint64 { return b.disagreements.Load() }

// Scan implements [scan.Source]. It fails if either source does.
func (b *Both) Scan(ctx context.Context) (*scan.Snapshot, error) {
	before, err := b.first.Scan(ctx)
	if err != nil {
		return nil, err
	}
	between, err := b.second.Scan(ctx)
	if err != nil {
		return nil, err
	}
	after, err := b.first.Scan(ctx)
	if err != nil {
		return nil, err
	}
	d := scan.DisagreementsBetween(before, between, after)
	if n := d.Total(); n > 0 {
		b.disagreements.Add(uint64(n))
		b.logger.Warn("The sources disagree", "compared", d.Compared, "state", d.State,
			"domain", d.Domain, "id", d.ID, "pids", d.Examples)
	}
	// The caller's own: a source keeps what it returned for the next scan, in which what the
	// caller sets must not be missed.
	snap := after.Again()
	snap.Source.Name = "both"
	return snap, nil
}

// Close implements [scan.Source].
func (b *Both) Close() error { return errors.Join(b.first.Close(), b.second.Close()) }
