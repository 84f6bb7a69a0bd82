// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"io"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/scan"
)

// drawTree draws processes and domains.
type drawTree struct {
	*globals
	lookLimit
	drawing
	all, domains bool
}

func (t *drawTree) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("tree", "Show the sandboxed processes, their domains, "+
		"and where they stand among the others.")
	c.Flag("all", "Show every process.").Short('a').BoolVar(&t.all)
	c.Flag("domains", "Show domains, each with its processes.").Short('d').BoolVar(&t.domains)
	t.drawing.flags(c, "Draw with")
	t.lookLimit.flags(c)
	return c
}

func (t *drawTree) validate() error {
	return cmp.Or(t.globals.validate(), t.lookLimit.validate())
}

func (t *drawTree) run(out io.Writer) error {
	host := look{globals: t.globals, lookLimit: t.lookLimit}
	snap, err := host.until(func(*scan.Snapshot) (bool, []int32) { return true, nil })
	if err != nil {
		return err
	}
	o := tree.Options{All: t.all, Style: table.Style{ASCII: t.ascii(), Width: terminalWidth()}}
	write := tree.Tree
	if t.domains {
		write = tree.Domains
	}
	return buffered(out, func(w io.Writer) error { return write(w, snap, o) })
}
