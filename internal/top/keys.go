// SPDX-License-Identifier: Apache-2.0

package top

import (
	"unicode/utf8"

	"github.com/gdamore/tcell/v3"
)

// help is the page of "?".
const help = `1 2 3 4, Tab    services, processes, domains, denials
Up Down, k j    choose a row; PgUp, PgDn, Home, End, g, G: faster
Enter           of a service or a domain: its processes; of a process or a
                denial: explain the process
/               filter: rows with a text, as a name, a PID or a state;
                Enter keeps it, Esc removes it
s               the next order
p, Space        pause, and go on
Esc             close a page, remove the filter, show all processes again
q, Ctrl-C       quit

Bars are the coverage at each look, now at the right: sandboxed of those whose
state is known. Only all is the highest bar, only none the lowest; a gap is
where nothing was seen. Columns are those of landlockd services and ps.
HANDLES is how many rights a domain handles, with those it is nested in.
`

// maxFilter bounds what is typed.
const maxFilter = 64

// key does what a key is for.
func (m *model) key(e *tcell.EventKey) {
	m.said = ""
	switch {
	case e.Key() == tcell.KeyCtrlC:
		m.quit = true
	case m.typing:
		m.typed(e)
	case e.Key() == tcell.KeyEscape:
		m.back()
	case m.moved(e):
	case e.Key() == tcell.KeyTab:
		m.page, m.only = nil, only{}
		m.show((m.view + 1) % numViews)
	case e.Key() == tcell.KeyEnter:
		if m.page == nil && m.place < len(m.list.keys) {
			m.list.open(m.place)
		}
	case e.Key() == tcell.KeyRune:
		m.letter(e.Str())
	}
}

func (m *model) letter(letter string) {
	switch letter {
	case "q":
		m.quit = true
	case "?", "h":
		m.page = &page{title: "help", text: func(int) string { return help }}
	case "1", "2", "3", "4":
		m.page, m.only = nil, only{}
		m.show(view(letter[0] - '1'))
	case "/":
		m.page, m.typing = nil, true
	case "s":
		m.sorts[m.view] = (m.sorts[m.view] + 1) % len(m.view.sorts())
		m.relist()
	case "p", " ":
		m.paused = !m.paused
		m.hurry = !m.paused
	}
}

// typed takes a key of the filter.
func (m *model) typed(e *tcell.EventKey) {
	switch e.Key() {
	case tcell.KeyEnter:
		m.typing = false
		return
	case tcell.KeyEscape:
		m.typing, m.filter = false, ""
	case tcell.KeyBackspace:
		_, size := utf8.DecodeLastRuneInString(m.filter)
		m.filter = m.filter[:len(m.filter)-size]
	case tcell.KeyRune:
		if len(m.filter)+len(e.Str()) <= maxFilter {
			m.filter += e.Str()
		}
	}
	m.relist()
}

// back undoes the last of what narrows.
func (m *model) back() {
	switch {
	case m.page != nil:
		m.page = nil
	case m.filter != "":
		m.filter = ""
		m.relist()
	case m.only.keep != nil:
		m.only = only{}
		m.relist()
	}
}

// moved reports whether a key moves, and does so.
func (m *model) moved(e *tcell.EventKey) bool {
	const far = 1 << 30
	by, known := map[tcell.Key]int{
		tcell.KeyUp: -1, tcell.KeyDown: 1, tcell.KeyPgUp: -m.room, tcell.KeyPgDn: m.room,
		tcell.KeyHome: -far, tcell.KeyEnd: far,
	}[e.Key()]
	if e.Key() == tcell.KeyRune {
		by, known = map[string]int{"k": -1, "j": 1, "g": -far, "G": far}[e.Str()]
	}
	switch {
	case !known:
	case m.page != nil:
		m.page.first = max(0, min(m.page.first+by, len(m.pageLines())-1))
	default:
		m.move(by)
	}
	return known
}
