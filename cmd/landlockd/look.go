// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/cmdline"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/scan"
)

// look is what a command looks at: this host, or a recorded snapshot.
type look struct {
	*globals
	lookLimit
	file string
	// assets are what this host is asked for; a recorded snapshot has its own.
	assets []domainid.Asset
}

func (l *look) flags(c *kingpin.CmdClause, verb string) {
	l.globals.flags(c)
	l.lookLimit.flags(c)
	c.Flag("snapshot", verb+" this file, which \"landlockd once --format=json\" wrote, "+
		"instead of the host.").PlaceHolder("FILE").StringVar(&l.file)
}

func (l *look) validate() error { return cmp.Or(l.globals.validate(), l.lookLimit.validate()) }

// recorded reports whether a recorded snapshot is looked at.
func (l *look) recorded() bool { return l.file != "" }

// evaluator returns one for a single snapshot. A recorded one has no command lines.
func (l *look) evaluator(config *policy.Config, o policy.Options) *policy.Evaluator {
	procfs := l.sources.ProcFS
	if l.recorded() {
		procfs = ""
	}
	return evaluator(config, procfs, o)
}

// evaluator returns one for a snapshot. Command lines are read from procfs; if
// that is empty there are none.
func evaluator(config *policy.Config, procfs string, o policy.Options) *policy.Evaluator {
	if procfs != "" {
		o.Cmdline = cmdline.New(procfs).Of
	}
	return policy.New(config, o)
}

// maxLooks is how often a host is looked at again because of what is not known:
// mostly processes that are just being made, or are about to end.
const maxLooks = 4

// judgment reports whether enough is known of a snapshot, and which processes it
// is about.
type judgment func(*scan.Snapshot) (known bool, about []int32)

// until returns the snapshot to look at: of this host, or a recorded one. A host
// is looked at again, a few times, until enough is known.
func (l *look) until(enough judgment) (*scan.Snapshot, error) {
	if !l.recorded() {
		d, cancel := l.begin()
		defer cancel()
		src, f, err := l.open(d, l.assets)
		if err != nil {
			return nil, err
		}
		return lookUntil(d, src, f.Favour, enough)
	}
	f, err := os.Open(l.file)
	if err != nil {
		return nil, usagef("--snapshot: %w", err)
	}
	defer f.Close()
	snap, err := recorded.Read(f)
	if err != nil {
		return nil, usagef("--snapshot %s: %w", l.file, err)
	}
	enough(snap)
	return snap, nil
}

func lookUntil(
	d deadline, src scan.Source, favour func(pids []int32), enough judgment,
) (*scan.Snapshot, error) {
	var last *scan.Snapshot
	for look, pause := 1, 20*time.Millisecond; ; look, pause = look+1, 4*pause {
		snap, err := inTime(d, "scanning", func() (*scan.Snapshot, error) { return src.Scan(d) })
		if last != nil && errors.Is(err, context.DeadlineExceeded) {
			return last, nil // what it does not know stays unknown
		}
		if err != nil {
			return nil, err
		}
		type answer struct {
			known bool
			about []int32
		}
		a, err := inTime(d, "judging what was scanned", func() (a answer, err error) {
			a.known, a.about = enough(snap)
			return a, nil
		})
		if err != nil {
			return nil, err
		}
		if a.known || look == maxLooks {
			return snap, nil
		}
		last = snap
		favour(a.about)
		time.Sleep(pause)
	}
}

// undecided is the failure to look, which is no answer.
func undecided(err error) error {
	var usage usageError
	if errors.As(err, &usage) {
		return err
	}
	return codeError{exitUndecided, err}
}
