// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/term"

	"github.com/landlockd/landlockd/internal/table"
)

const (
	formatTable = "table"
	formatWide  = "wide"
	formatLines = "jsonl"
)

const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// listing are the flags of commands that list something.
type listing struct {
	drawing
	format, color string
	headers       bool
}

func (l *listing) flags(c *kingpin.CmdClause) {
	c.Flag("output", "Form of the answer: table, wide, json, jsonl.").Short('o').
		Default(formatTable).EnumVar(&l.format, formatTable, formatWide, formatJSON, formatLines)
	c.Flag("headers", "Write titles, and what stands below the rows.").Default("true").
		BoolVar(&l.headers)
	l.colorFlag(c)
	l.drawing.flags(c, "Draw with")
}

func (l *listing) colorFlag(c *kingpin.CmdClause) {
	c.Flag("color", "Write states in colors: auto (on a terminal, unless NO_COLOR is set), always, "+
		"never.").Default(colorAuto).EnumVar(&l.color, colorAuto, colorAlways, colorNever)
}

// style is how text is written.
func (l *listing) style() table.Style {
	return table.Style{Width: terminalWidth(), ASCII: l.ascii(), Color: l.colors(), Bare: !l.headers}
}

// colors follows https://no-color.org.
func (l *listing) colors() bool {
	if l.color == colorAuto {
		return term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" &&
			os.Getenv("TERM") != "dumb"
	}
	return l.color == colorAlways
}
