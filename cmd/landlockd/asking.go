// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// asking is what a command looks at that asks the daemon first, and looks at this host itself
// only where none answers.
type asking struct {
	look
	socket apiSocket
}

func (a *asking) flags(c *kingpin.CmdClause) {
	a.look.flags(c, "Look at")
	a.socket.flags(c, "Unix socket of the daemon, which is asked for its snapshot; empty to scan "+
		"this host instead, as with any flag that says how to scan it.")
}

func (a *asking) validate() error { return cmp.Or(a.look.validate(), a.socket.validate()) }

// origin is where a snapshot is from.
type origin struct {
	// word is "daemon", "scan" or "file", and text has it in words.
	word, text string
}

// lines are the line that stands below an answer for people.
func (o origin) lines(ascii bool) []string {
	return []string{untrusted.EscapeWords(o.text, 0, ascii)}
}

// snapshot returns what to look at.
func (a *asking) snapshot() (*scan.Snapshot, origin, error) {
	if a.recorded() {
		snap, err := a.scan()
		return snap, origin{"file", "Recorded in " + a.file}, err
	}
	refused := errors.New("it was not asked")
	if a.socket.path != "" && (a.socket.given || !a.own) {
		ctx, cancel := context.WithTimeout(context.Background(), min(askTime, a.timeout))
		defer cancel()
		snap, err := api.AskSnapshot(ctx, a.socket.path)
		if err == nil {
			return snap, origin{"daemon", "By the daemon at " + a.socket.path}, nil
		}
		refused = err
	}
	snap, err := a.scan()
	if err != nil && !errors.Is(refused, api.ErrAbsent) {
		err = fmt.Errorf("%w (the daemon: %w)", err, refused)
	}
	return snap, origin{"scan", "By this command's own scan: " + refused.Error()}, err
}

func (a *asking) scan() (*scan.Snapshot, error) {
	return a.until(func(*scan.Snapshot) (bool, []int32) { return true, nil })
}
