// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/patient"
)

// lookLimit is the flag of commands that look at this host once: how long that may take.
// To write the answer may take longer: a pager waits for its reader.
type lookLimit struct{ timeout time.Duration }

func (l *lookLimit) flags(c *kingpin.CmdClause) {
	c.Flag("timeout", "How long looking at this host may take in all.").Default("30s").
		DurationVar(&l.timeout)
}

func (l *lookLimit) validate() error {
	if l.timeout <= 0 {
		return usagef("--timeout is %s, but must be above 0", l.timeout)
	}
	return nil
}

// deadline is the time limit of one look at this host, which has several steps.
type deadline struct {
	context.Context
	timeout time.Duration
}

func (l *lookLimit) begin() (deadline, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	return deadline{ctx, l.timeout}, cancel
}

// inTime returns what a step returns, which reads on in "... takes longer than". A step that
// does not end in time is left to itself: what hangs in a system call does so until this
// process ends.
func inTime[T any](d deadline, what string, step func() (T, error)) (T, error) {
	value, err := patient.Within(d, step)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s takes longer than --timeout=%s: this host is very busy, or something "+
			"on it does not answer; try again, with a longer --timeout (%w)", what, d.timeout, err)
	}
	return value, err
}
