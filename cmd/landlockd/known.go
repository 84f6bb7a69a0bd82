// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/known"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/tree"
)

const formatRules = "rules"

// knownPrograms says of known programs whether they are sandboxed here.
type knownPrograms struct {
	asking
	drawing
	files  []string
	rootFS string
	format string
}

func (k *knownPrograms) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.GetCommand("rules").Command("known", "Of the programs that are known to sandbox "+
		"themselves or what they start, show those that run or are installed here: which do, which "+
		"do in part and why, which are switched off, and which do not though they should.")
	c.Flag("known.files", "Files of known programs; a glob can be in the last part of the path "+
		"(repeatable).").PlaceHolder("PATTERN").Default(known.DefaultFiles()...).StringsVar(&k.files)
	c.Flag("path.rootfs", "Where the host's root directory is mounted in a container: it is looked "+
		"there for what is installed.").Default("/").StringVar(&k.rootFS)
	c.Flag("output", "Form of the answer: text, json, rules (a file of rules to start from).").
		Short('o').Default(formatText).EnumVar(&k.format, formatText, formatJSON, formatRules)
	k.asking.flags(c)
	k.drawing.flags(c, "Draw with")
	return c
}

func (k *knownPrograms) validate() error { return k.asking.validate() }

func (k *knownPrograms) run(out io.Writer) error {
	programs, err := policy.LoadKnown(k.files)
	if err != nil {
		return usageError{inforce.Brief(err)}
	}
	if len(programs) == 0 {
		return usagef("no program is known: %s have none; --known.files names other files",
			strings.Join(k.files, ", "))
	}
	snap, from, err := k.snapshot()
	if err != nil {
		return err
	}
	d, cancel := k.begin()
	defer cancel()
	report, err := inTime(d, "looking for known programs", func() (*known.Report, error) {
		r := &known.Report{Known: len(programs)}
		var installed map[string][]known.Installed
		var err error // of this step alone, which may go on behind its time
		if k.recorded() {
			r.NotLooked = "a recorded snapshot is of another time, or of another host"
		} else if installed, err = known.Look(k.rootFS, programs); err != nil {
			r.NotLooked = err.Error()
		}
		r.Programs = known.Judge(snap, programs, installed)
		return r, nil
	})
	if err != nil {
		return err
	}
	return buffered(out, func(w io.Writer) error {
		switch k.format {
		case formatJSON:
			return known.JSON(w, snap, report, from.word)
		case formatRules:
			return known.Rules(w, snap, report)
		default:
			style := table.Style{Width: terminalWidth(), ASCII: k.ascii()}
			err := known.Text(w, report, style)
			return cmp.Or(err, style.Lines(w, slices.Concat(tree.Below(snap), from.lines(style.ASCII))...))
		}
	})
}
