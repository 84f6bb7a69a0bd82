// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"io"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/scan"
)

// drawTree draws processes and domains.
type drawTree struct {
	asking
	listing
	processFilter
	all, domains, fold bool
}

func (t *drawTree) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("tree", "Show the sandboxed processes, where their domains begin and end, "+
		"and where they stand among the others.")
	c.Flag("all", "Show every process.").Short('a').BoolVar(&t.all)
	c.Flag("domains", "Show domains, each with its processes.").Short('d').BoolVar(&t.domains)
	c.Flag("fold", "Show equal siblings as one.").Default("true").BoolVar(&t.fold)
	t.processFilter.flags(c)
	t.listing.flags(c)
	t.asking.flags(c)
	return c
}

func (t *drawTree) validate() error {
	err := cmp.Or(t.asking.validate(), t.processFilter.validate())
	switch {
	case err != nil:
		return err
	case t.all && !t.Empty():
		return usagef("--all shows every process: leave it out where only some are asked for")
	case t.domains && (!t.Empty() || t.format != formatTable):
		return usagef("--domains shows all domains, as text: it goes with no filter and no other form")
	}
	return nil
}

func (t *drawTree) run(out io.Writer) error {
	snap, from, err := t.snapshot()
	if err != nil {
		return err
	}
	o := tree.Options{All: t.all, Fold: t.fold, Wide: t.format == formatWide, Style: t.style()}
	if !t.Empty() {
		o.Keep, o.Descendants = t.Of(snap), len(t.PIDs) > 0
	}
	return buffered(out, func(w io.Writer) error { return t.write(w, snap, o, from) })
}

func (t *drawTree) write(w io.Writer, snap *scan.Snapshot, o tree.Options, from origin) error {
	switch {
	case t.format == formatJSON:
		return tree.JSON(w, snap, tree.Shown(snap, o), from.word)
	case t.format == formatLines:
		return tree.JSONLines(w, snap, tree.Shown(snap, o))
	}
	write := tree.Tree
	if t.domains {
		write = tree.Domains
	}
	return cmp.Or(write(w, snap, o), o.Lines(w, from.lines(t.ascii())...))
}
