// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"

	"github.com/landlockd/landlockd/scan"
)

// Look makes one scan and adds to a sum what [Judge] says of it.
func (c *Churn) Look(ctx context.Context, source scan.Source, sum *Verdict) (*scan.Snapshot, error) {
	from := Now()
	snap, err := source.Scan(ctx)
	to := Now()
	if err != nil {
		return nil, err
	}
	sum.Add(Judge(snap, from, to, c.Lives(func(pid int32) bool {
		p := snap.Find(pid)
		return p != nil && p.Comm.String() == Mixed
	})))
	return snap, nil
}

// Look makes one scan and adds to a sum what [JudgeSwing] says of it. It returns the
// number of moves until its end.
func (s *Swing) Look(ctx context.Context, source scan.Source, sum *SwingVerdict) (moves int, err error) {
	from := Now()
	snap, err := source.Scan(ctx)
	to := Now()
	if err != nil {
		return 0, err
	}
	moves, during := s.Moves(from, to)
	sum.Add(JudgeSwing(snap, s.PIDs, during))
	return moves, nil
}

// Shown bounds how many of a kind of failure are printed.
const Shown = 10

// Fail calls errorf for the first of some failures, and once for the number of others.
func Fail[F any](errorf func(format string, args ...any), what string, failures []F) {
	for i, f := range failures {
		if i == Shown {
			errorf("%s: and %d more", what, len(failures)-i)
			return
		}
		errorf("%s: %v", what, f)
	}
}
