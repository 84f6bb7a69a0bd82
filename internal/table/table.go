// SPDX-License-Identifier: Apache-2.0

// Package table writes rows in columns, the same way for all commands: as wide as there is
// room for, with colors where they are wanted.
package table

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/internal/untrusted"
)

// Style is how text is written.
type Style struct {
	// Width is that of the terminal in columns, 0 if the output is none.
	Width int
	// ASCII is for terminals without UTF-8.
	ASCII bool
	// Color: states have colors.
	Color bool
	// Bare: rows alone, without titles, and nothing below them.
	Bare bool
}

const (
	// defaultWidth holds where the output is no terminal: a path of 4096 bytes helps nobody
	// there either, and JSON has all of it.
	defaultWidth = 160
	// minRoom is what a cell that can be cut always has.
	minRoom = 12
	gap     = 2
)

// Room returns the columns that are left of a line behind used ones.
func (s Style) Room(used int) int {
	if s.Width <= 0 {
		s.Width = defaultWidth
	}
	return max(s.Width-used, minRoom)
}

// Cell is one cell of a row: text that is safe to print, or Fit, which returns such text in
// at most room columns; all of it for 0.
type Cell struct {
	Text  string
	Fit   func(room int) string
	Color Color
}

// Table is rows below titles. A row has a cell for each title.
type Table struct {
	Style  Style
	Titles []string
	rows   [][]Cell
}

// Row adds a row.
func (t *Table) Row(cells ...Cell) { t.rows = append(t.rows, cells) }

// Text is a cell of text that is safe to print.
func Text(text string) Cell { return Cell{Text: text} }

// Number is a cell.
func Number(n int) Cell { return Cell{Text: fmt.Sprint(n)} }

// Name is a cell of text that others chose.
func (t *Table) Name(text string) Cell {
	return Cell{Fit: func(room int) string { return untrusted.Escape(text, room, t.Style.ASCII) }}
}

// Words is a cell of text in words, of which not all must be seen.
func (t *Table) Words(text string) Cell {
	return Cell{Fit: func(room int) string { return untrusted.EscapeWords(text, room, t.Style.ASCII) }}
}

// Write writes the table, and nothing if it has no rows.
func (t *Table) Write(w io.Writer) error {
	if len(t.rows) == 0 {
		return nil
	}
	b := bufio.NewWriter(w)
	widths := t.fit()
	line := func(cells []Cell) {
		for i, c := range cells {
			text := c.Text
			if t.Style.Color {
				text = c.Color.Paint(text)
			}
			b.WriteString(text)
			if i < len(cells)-1 {
				pad := gap + widths[i] - untrusted.Columns(c.Text)
				b.WriteString(strings.Repeat(" ", pad))
			}
		}
		b.WriteByte('\n')
	}
	if !t.Style.Bare {
		titles := make([]Cell, len(t.Titles))
		for i, title := range t.Titles {
			titles[i].Text = title
		}
		line(titles)
	}
	for _, cells := range t.rows {
		line(cells)
	}
	return b.Flush()
}

// fit gives all cells their text, so that lines have room, and returns the columns' widths.
func (t *Table) fit() (widths []int) {
	n := len(t.Titles)
	widths = make([]int, n)
	elastic := make([]int, n)
	for i, title := range t.Titles {
		widths[i] = len(title)
	}
	for _, cells := range t.rows {
		for i, c := range cells {
			if c.Fit == nil {
				widths[i] = max(widths[i], untrusted.Columns(c.Text))
			} else {
				elastic[i] = max(elastic[i], untrusted.Columns(c.Fit(0)))
			}
		}
	}
	share(elastic, widths, t.Style.Room(0))
	for i := range widths {
		widths[i] = max(elastic[i], widths[i])
	}
	rooms := slices.Clone(widths)
	for _, cells := range t.rows {
		for i := range cells {
			if c := &cells[i]; c.Fit != nil {
				c.Text = c.Fit(rooms[i])
			}
			widths[i] = max(widths[i], untrusted.Columns(cells[i].Text)) // of one with little room
		}
	}
	return widths
}

// share gives the columns that can be cut what the others leave of a line. Those that need
// less than their part leave it to the rest.
func share(elastic, widths []int, room int) {
	left, open := room, 0
	for i, want := range elastic {
		left -= gap
		if want > widths[i] {
			open++
		} else {
			left -= widths[i]
		}
	}
	for left += gap; open > 0; {
		part, settled := max(left/open, minRoom), false
		for i, want := range elastic {
			if want > widths[i] && want <= part {
				widths[i], settled = want, true
				left -= want
				open--
			}
		}
		if settled {
			continue
		}
		for i, want := range elastic {
			if want > widths[i] {
				elastic[i] = max(part, widths[i])
			}
		}
		return
	}
}

// Lines writes lines of words below a table, which nobody wants who wants rows alone. They are
// broken between words where a terminal would break them anywhere.
func (s Style) Lines(w io.Writer, lines ...string) error {
	if s.Bare || len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(w, untrusted.Wrap(strings.Join(lines, "\n")+"\n", s.Width))
	return err
}
