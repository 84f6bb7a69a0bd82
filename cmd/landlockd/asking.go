// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/domainid"
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
	a.socket.flags(c, askingHelp)
}

const askingHelp = "Unix socket of the daemon, which is asked for its snapshot; empty to scan this " +
	"host instead, as with any flag that says how to scan it."

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

var (
	errNotAsked    = errors.New("it was not asked")
	errNotAllKnown = errors.New("not all was known to the daemon")
)

// ask returns the daemon's snapshot. It is not asked if the user set how to look at this host,
// or wants nobody asked.
func (a *asking) ask() (*scan.Snapshot, origin, error) {
	if a.socket.path == "" || !a.socket.given && a.own {
		return nil, origin{}, errNotAsked
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(askTime, a.timeout))
	defer cancel()
	snap, err := api.AskSnapshot(ctx, a.socket.path)
	return snap, origin{"daemon", "By the daemon at " + a.socket.path}, err
}

// ownScan is what a scan of this command's own is from, with the reason for it.
func ownScan(why error) origin {
	return origin{"scan", "By this command's own scan: " + why.Error()}
}

func (a *asking) recordedIn() origin { return origin{"file", "Recorded in " + a.file} }

// snapshot returns what to look at.
func (a *asking) snapshot() (*scan.Snapshot, origin, error) {
	if a.recorded() {
		snap, err := a.scan()
		return snap, a.recordedIn(), err
	}
	snap, from, refused := a.ask()
	if refused == nil {
		return snap, from, nil
	}
	snap, err := a.scan()
	return snap, ownScan(refused), withRefusal(err, refused)
}

// withRefusal adds to the failure of an own scan why the daemon did not answer.
func withRefusal(err, refused error) error {
	if err != nil && refused != nil && !errors.Is(refused, api.ErrAbsent) {
		return fmt.Errorf("%w (the daemon: %w)", err, refused)
	}
	return err
}

// judged returns the snapshot of the whole host to look at, as look.until does. Where the daemon
// was asked for other assets, or does not know enough, an own scan may.
func (a *asking) judged(enough judgment) (*scan.Snapshot, origin, error) {
	if a.recorded() {
		snap, err := a.until(enough)
		return snap, a.recordedIn(), err
	}
	snap, from, refused := a.ask()
	if refused == nil {
		if refused = a.lacks(snap, enough); refused == nil {
			return snap, from, nil
		}
	}
	scanned, err := a.until(enough)
	if err != nil && snap != nil && !snap.Part {
		enough(snap)
		return snap, from, nil // what it does not know stays unknown
	}
	return scanned, ownScan(refused), withRefusal(err, refused)
}

// lacks returns what a snapshot of the daemon lacks of what is asked for.
func (a *asking) lacks(snap *scan.Snapshot, enough judgment) error {
	if snap.Part {
		return errors.New("it shows this user a part of the host")
	}
	for i := range a.assets {
		same := func(o domainid.Asset) bool { return o.Equal(&a.assets[i]) }
		if !slices.ContainsFunc(snap.Assets, same) {
			return errors.New("it did not look for these assets")
		}
	}
	if known, _ := enough(snap); !known {
		return errNotAllKnown
	}
	return nil
}

// process returns the snapshot to look at and one process of it, as look.process does. What
// the daemon does not know of that process an own scan may.
func (a *asking) process(w subject) (*scan.Snapshot, *scan.Process, origin, error) {
	if a.recorded() {
		snap, p, err := a.look.process(w)
		return snap, p, a.recordedIn(), err
	}
	snap, from, refused := a.ask()
	var p *scan.Process
	if refused == nil {
		if p, _, _ = w.find(snap); p != nil && settled(snap, p) {
			return snap, p, from, nil
		}
		refused = errNotAllKnown
	}
	scanned, q, err := a.look.process(w)
	switch {
	case scanned != nil:
		return scanned, q, ownScan(refused), err
	case p != nil:
		return snap, p, from, nil
	case snap != nil:
		_, _, missing := w.find(snap)
		if w.name == "" {
			missing = fmt.Errorf("the daemon shows no process %d to this user: it has ended, is a "+
				"kernel thread, or is another user's", w.pid)
		}
		return snap, nil, from, codeError{exitUndecided, missing}
	default:
		return nil, nil, origin{}, withRefusal(err, refused)
	}
}

func (a *asking) scan() (*scan.Snapshot, error) {
	return a.until(func(*scan.Snapshot) (bool, []int32) { return true, nil })
}
