// SPDX-License-Identifier: Apache-2.0

package top

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// model is what is shown: what was seen, and what the keys made of it.
type model struct {
	o     Options
	sight *Sight
	// failed is why the last look failed, and seen when one last did not.
	failed error
	seen   time.Time
	// workloads and processes are their coverage at each look.
	workloads, processed history

	view   view
	sorts  [numViews]int
	filter string
	only   only
	list   list
	// chosen names the row that is chosen, place is where that is, and first the row at the top.
	chosen       string
	place, first int
	// rows and columns are those of the screen, and room how many rows of the list it has.
	rows, columns, room int

	typing, paused, quit bool
	// hurry: it is to look at once.
	hurry bool
	// said is an answer to the last key, with nothing of others in it.
	said string
	page *page
	// wanted is a process that is to be explained, and number counts them.
	wanted *wanted
	number int
}

// only is which processes are listed.
type only struct {
	name string
	keep func(*scan.Snapshot) func(*scan.Process) bool
}

// page is text that covers the list.
type page struct {
	title string
	text  Page
	first int
	// waits for the answer of a number.
	waits int
}

type wanted struct {
	number  int
	sight   *Sight
	process *scan.Process
}

// answer explains the process that was wanted by a number.
type answer struct {
	number int
	outcome[Page]
}

func newModel(o Options) *model {
	m := &model{o: o, rows: 24, columns: 80, room: 1}
	m.take(o.First, nil)
	return m
}

// take takes what a look came to.
func (m *model) take(seen *Sight, err error) {
	if m.failed = err; err != nil {
		m.workloads.add(never)
		m.processed.add(never)
		return
	}
	m.sight, m.seen = seen, time.Now()
	byWorkload, _ := scan.CountWorkloads(seen.Snapshot.ByWorkload())
	m.workloads.add(coverage(byWorkload))
	m.processed.add(coverage(seen.Snapshot.Count().Processes))
	m.relist()
}

func (m *model) sort() string { return m.view.sorts()[m.sorts[m.view]] }

// relist lists anew, and the row that was chosen stays so.
func (m *model) relist() {
	switch m.view {
	case ofServices:
		m.list = m.services()
	case ofProcesses:
		m.list = m.processes()
	case ofDomains:
		m.list = m.domains()
	default:
		m.list = m.denials()
	}
	if i := slices.Index(m.list.keys, m.chosen); i >= 0 {
		m.place = i
	}
	m.move(0)
}

// move chooses a row by its distance from the one that is chosen.
func (m *model) move(by int) {
	m.place = max(0, min(m.place+by, len(m.list.keys)-1))
	if m.place < len(m.list.keys) {
		m.chosen = m.list.keys[m.place]
	}
	m.scroll()
}

// scroll shows the row that is chosen, and as many as there is room for.
func (m *model) scroll() {
	m.first = min(m.first, m.place, max(0, len(m.list.keys)-m.room))
	m.first = max(m.first, m.place-m.room+1)
}

// show shows a view from its beginning.
func (m *model) show(v view) {
	m.view, m.chosen, m.place, m.first = v, "", 0, 0
	m.relist()
}

// narrow lists some processes.
func (m *model) narrow(name string, keep func(*scan.Snapshot) func(*scan.Process) bool) {
	m.only, m.filter = only{name, keep}, ""
	m.show(ofProcesses)
}

func (m *model) explain(p *scan.Process) {
	m.number++
	m.wanted = &wanted{m.number, m.sight, p}
	title := fmt.Sprintf("explain %d", p.PID)
	m.page = &page{title: title, waits: m.number, text: func(int) string { return "Looking ..." }}
}

// explained takes an answer, if that is still waited for.
func (m *model) explained(a answer) {
	if m.page == nil || m.page.waits != a.number {
		return
	}
	m.page.text = a.value
	if a.err != nil {
		text := untrusted.OneLine(a.err.Error())
		m.page.text = func(int) string { return text }
	}
}

// pageLines are the lines of the page.
func (m *model) pageLines() []string {
	return strings.Split(strings.TrimRight(m.page.text(m.columns), "\n"), "\n")
}
