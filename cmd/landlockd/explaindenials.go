// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// askTime is how long explain waits for the daemon: a second at most until a scan
// may be made, and the scan.
const askTime = 15 * time.Second

// denialsOf begins to ask the daemon for the last denials of the process: what is returned waits
// for them. They are nil where nobody is asked.
func (x *explainProcess) denialsOf(e *explain.Explanation) (wait func() *explain.Denials) {
	if x.socket.path == "" || x.recorded() {
		return func() *explain.Denials { return nil }
	}
	answer := make(chan *explain.Denials, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), askTime)
		defer cancel()
		answer <- askDenials(ctx, x.socket.path, e.Process.PID)
	}()
	return func() *explain.Denials {
		d := <-answer
		d.Last = e.DenialsOf(d.Last)
		return d
	}
}

// askDenials asks the daemon for the last denials of all with a PID, or of all for 0.
func askDenials(ctx context.Context, socket string, pid int32) *explain.Denials {
	d, err := api.AskDenials(ctx, socket, pid)
	if err != nil {
		return &explain.Denials{NotKnown: whyNotAsked(err)}
	}
	known := &explain.Denials{Way: d.Way, Fed: d.Fed, Lost: d.Lost, Remembered: d.Remembered, Last: d.Denials}
	switch {
	case d.Way == api.Off:
		known.NotKnown = "the daemon runs with --no-collector.denials"
	case !d.Fed:
		known.NotKnown = "here the kernel only counts them, at most; " +
			"landlockd doctor shows how to have more"
	}
	return known
}

// whyNotAsked returns in words why the daemon did not answer.
func whyNotAsked(err error) string {
	var refused *api.Refused
	switch {
	case errors.Is(err, api.ErrAbsent):
		return "no daemon runs that could have counted them (" + untrusted.OneLine(err.Error()) + ")"
	case errors.As(err, &refused):
		return untrusted.OneLine(refused.Message)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("the daemon did not answer in %s", askTime)
	default:
		return "the daemon could not be asked: " + untrusted.OneLine(err.Error())
	}
}
