// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"io"
	"slices"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/tree"
)

// listProcesses lists processes.
type listProcesses struct {
	asking
	listing
	processFilter
	sort string
}

func (l *listProcesses) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("ps", "List the processes of this host: which are sandboxed, in which domain, "+
		"and what that restricts.")
	l.processFilter.flags(c)
	c.Flag("sort", "Order: pid, state, depth, age, workload, command.").Default(tree.Sorts()[0]).
		EnumVar(&l.sort, tree.Sorts()...)
	l.listing.flags(c)
	l.asking.flags(c)
	return c
}

func (l *listProcesses) validate() error {
	return cmp.Or(l.asking.validate(), l.processFilter.validate())
}

func (l *listProcesses) run(out io.Writer) error {
	snap, from, err := l.snapshot()
	if err != nil {
		return err
	}
	shown := tree.Processes(snap, &l.Filter)
	tree.Sort(snap, shown, l.sort)
	return buffered(out, func(w io.Writer) error {
		switch l.format {
		case formatJSON:
			return tree.JSON(w, snap, shown, from.word)
		case formatLines:
			return tree.JSONLines(w, snap, shown)
		}
		var lines []string
		if hidden := len(snap.Processes) - len(shown); hidden > 0 {
			lines = append(lines, "Not shown: "+plural.Count(hidden, "process"))
		}
		lines = slices.Concat(lines, tree.Below(snap), from.lines(l.ascii()))
		err := tree.List(w, snap, shown, l.style(), l.format == formatWide)
		return cmp.Or(err, l.style().Lines(w, lines...))
	})
}
