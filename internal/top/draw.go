// SPDX-License-Identifier: Apache-2.0

package top

import (
	"fmt"
	"strings"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// few is how many lines the screen must have for those about the whole host.
const few = 14

// lines draws the screen: so many lines as that has, and which one is chosen, or -1. They have
// colors as [table.Color.Paint] has them, and nothing else that a terminal obeys.
func (m *model) lines() (lines []string, chosen int) {
	chosen = -1
	lines = append(lines, m.title())
	if m.rows >= few {
		lines = append(lines, m.about()...)
	}
	m.room = max(1, m.rows-len(lines)-4)
	if m.page != nil {
		lines = append(lines, m.page.title)
		text := m.pageLines()
		m.page.first = max(0, min(m.page.first, len(text)-m.room-1))
		lines = append(lines, text[m.page.first:min(len(text), m.page.first+m.room+1)]...)
	} else {
		m.scroll()
		lines = append(lines, m.tabs())
		rows := m.listed()
		if len(m.list.keys) > 0 {
			chosen = len(lines) + 1 + m.place - m.first
		}
		lines = append(lines, rows...)
	}
	for len(lines) < m.rows-2 {
		lines = append(lines, "")
	}
	lines = lines[:max(0, min(len(lines), m.rows-2))]
	if chosen >= len(lines) {
		chosen = -1
	}
	return append(lines, m.status(), m.keys()), chosen
}

func (m *model) title() string {
	s := m.sight.Snapshot
	c := s.Count()
	deepest := fmt.Sprint(c.MaxDepth)
	if !c.DepthExact {
		deepest = ">=" + deepest
	}
	text := fmt.Sprintf("landlockd top   %s   %s, deepest %s   every %s   %s",
		untrusted.Escape(m.o.Host, 20, m.o.Style.ASCII), plural.Count(len(s.Domains), "domain"), deepest,
		m.o.Interval, m.seen.Format(time.TimeOnly))
	if s.Part {
		text += "  what you may see"
	}
	if m.paused {
		text += "  " + m.color(table.Yellow, "PAUSED")
	}
	return text
}

func (m *model) color(c table.Color, text string) string {
	if !m.o.Style.Color {
		return text
	}
	return c.Paint(text)
}

// about are the lines about the whole host.
func (m *model) about() []string {
	s := m.sight.Snapshot
	c := s.Count()
	byWorkload, ineffective := scan.CountWorkloads(s.ByWorkload())
	d := m.sight.Denials
	last := "none is remembered"
	if d.NotKnown != "" {
		last = "not known: 4 shows why"
	} else if len(d.Last) > 0 {
		l := &d.Last[0]
		escape := func(text string, room int) string {
			return untrusted.EscapeWords(text, max(room, 12), m.o.Style.ASCII)
		}
		last = fmt.Sprintf("%d, the last at %s: %s (%d) %s ", len(d.Last),
			l.Time.Local().Format(time.TimeOnly), escape(l.Comm, 16), l.PID, escape(what(l), 24))
		last += escape(object(l), m.columns-11-untrusted.Columns(last))
	}
	return []string{
		m.covered("Workloads", byWorkload, m.workloads), m.states(byWorkload, ineffective),
		m.covered("Processes", c.Processes, m.processed),
		m.states(c.Processes, c.Ineffective),
		"Denials    " + last,
	}
}

func (m *model) covered(name string, n scan.ByState, h history) string {
	percent := "-"
	if c := coverage(n); c != never {
		percent = fmt.Sprintf("%.1f %%", c*100)
	}
	front := fmt.Sprintf("%-10s %8s  ", name, percent)
	return front + m.color(table.Green, h.draw(m.columns-len(front), m.o.Style.ASCII))
}

// states are how many are in which state.
func (m *model) states(n scan.ByState, ineffective int) string {
	var parts []string
	add := func(n int, word string) {
		text := fmt.Sprint(n, " ", word)
		if n > 0 {
			text = m.color(table.ByState(word), text)
		}
		parts = append(parts, text)
	}
	for _, state := range scan.States() {
		add(n.Of(state), state.String())
	}
	if ineffective > 0 {
		add(ineffective, "ineffective")
	}
	return strings.Repeat(" ", 11) + strings.Join(parts, "  ")
}

// tabs are the views, and how the one that is shown is narrowed.
func (m *model) tabs() string {
	var parts [numViews]string
	for v := range numViews {
		parts[v] = fmt.Sprint(int(v)+1, " ", v)
		if v == m.view {
			parts[v] = "[" + parts[v] + "]"
		}
	}
	text := strings.Join(parts[:], "  ") + "   by " + m.sort()
	if m.only.keep != nil && m.view == ofProcesses {
		text += "   of " + untrusted.EscapeWords(m.only.name, 40, m.o.Style.ASCII)
	}
	if m.filter != "" && !m.typing {
		text += "   with " + untrusted.Escape(m.filter, 40, m.o.Style.ASCII)
	}
	return text
}

// listed are the titles and the rows that there is room for.
func (m *model) listed() []string {
	n := len(m.list.keys)
	if n == 0 {
		switch {
		case m.filter != "" || m.only.keep != nil:
			return []string{"Nothing fits: Esc shows all"}
		case m.view == ofDenials && m.sight.Denials.NotKnown != "":
			return m.wrap("Not known, which is not none: " + m.sight.Denials.NotKnown)
		}
		return []string{"None"}
	}
	var b strings.Builder
	style := m.o.Style
	style.Width = m.columns
	if err := m.list.write(&b, m.first, min(n, m.first+m.room), style); err != nil {
		return []string{untrusted.OneLine(err.Error())}
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// wrap breaks words that are safe to print into lines.
func (m *model) wrap(text string) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > m.columns {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// status is the line above the keys: what went wrong, or who looked.
func (m *model) status() string {
	ascii := m.o.Style.ASCII
	switch {
	case m.typing:
		return "Filter: " + untrusted.EscapeWords(m.filter, 0, ascii) + "_"
	case m.failed != nil:
		text := fmt.Sprintf("Seen at %s, trying again: %s", m.seen.Format(time.TimeOnly), m.failed)
		return m.color(table.Red, untrusted.EscapeWords(text, max(20, m.columns), ascii))
	case m.said != "":
		return m.said
	}
	place := ""
	if n := len(m.list.keys); n > 0 && m.page == nil {
		place = fmt.Sprintf("%d/%d  ", m.place+1, n)
	}
	return place + untrusted.EscapeWords(m.sight.From, max(20, m.columns-len(place)), ascii)
}

func (m *model) keys() string {
	switch {
	case m.typing:
		return "Enter keep  Esc remove"
	case m.page != nil:
		return "Up Down scroll  Esc back  q quit"
	}
	return "? help  1-4 views  / filter  s sort  p pause  Enter open  Esc back  q quit"
}

// paint draws the lines on a screen.
func (m *model) paint(screen tcell.Screen) {
	m.columns, m.rows = screen.Size()
	screen.Clear()
	lines, chosen := m.lines()
	for y, line := range lines {
		style := tcell.StyleDefault.Reverse(y == chosen)
		x := put(screen, y, line, style)
		if y == chosen {
			screen.FillArea(x, y, m.columns-x, 1, ' ', style)
		}
	}
	screen.Show()
}

// put writes a line with colors, and returns the column behind it.
func put(screen tcell.Screen, y int, line string, plain tcell.Style) (x int) {
	const begin = "\x1b["
	style := plain
	for line != "" {
		text, rest, colored := strings.Cut(line, begin)
		for width := 1; text != "" && width > 0; x += width {
			text, width = screen.Put(x, y, text, style)
		}
		line = rest
		if !colored {
			continue
		}
		var code string // table.Color.Paint writes no other ones
		code, line, _ = strings.Cut(rest, "m")
		front, ok := map[string]tcell.Color{"31": color.Maroon, "32": color.Green, "33": color.Olive,
			"35": color.Purple}[code]
		if style = plain; ok {
			style = plain.Foreground(front)
		}
	}
	return x
}
