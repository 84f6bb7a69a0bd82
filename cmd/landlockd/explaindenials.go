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

// addDenials asks the daemon for the last denials of the process.
func (x *explainProcess) addDenials(e *explain.Explanation) {
	if x.socket.path == "" || x.recorded() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	d, err := api.AskDenials(ctx, x.socket.path, e.Process.PID)
	if err != nil {
		e.Denials = &explain.Denials{NotKnown: whyNotAsked(err)}
		return
	}
	e.Denials = &explain.Denials{Way: d.Way, Fed: d.Fed, Lost: d.Lost, Remembered: d.Remembered}
	switch {
	case d.Way == api.Off:
		e.Denials.NotKnown = "the daemon runs with --no-collector.denials"
	case !d.Fed:
		e.Denials.NotKnown = "here the kernel only counts them, at most; " +
			"landlockd doctor shows how to have more"
	}
	e.Denials.Last = e.DenialsOf(d.Denials)
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
