// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"io"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Tree writes the host's process tree with the state, the depth and the domain
// of each process, one line each:
//
//	PID   STATE        DEPTH  DOMAIN         COMMAND
//	1     unsandboxed  0      -              systemd
//	812   unsandboxed  0      -              └─sshd
//	2301  sandboxed    1      1e67bda0b  ┌     ├─bash
//	2350  sandboxed    2      1e67bda19  │─    │ └─bash
//	2400  sandboxed    1      1e67bda0b  └     │   └─sleep ×180
//	2600  unsandboxed  0      -                └─logger [outside]
//
// Behind DOMAIN is a line for each domain from the first process in it to the last, those that
// are nested to the right of those that they are nested in. A child is "outside" if its parent
// is in a domain and it is neither in that nor in one nested in it.
//
// The state of a sandboxed process that restricts nothing is "ineffective". A depth
// of ">=2" is a lower bound, "1-3" the shallowest and the deepest task. "?" is what
// is not known. If a process's tasks are in different states or domains, or only
// some of them are ineffective, they are listed under it, and so are workers that may
// act outside of its domains. The lines at the end count what is not shown and what was
// found.
func Tree(w io.Writer, s *scan.Snapshot, o Options) error {
	t := newTreeWriter(s, o)
	shown, hidden := t.layOut()
	t.rails = newRails(s, o.ASCII)
	t.rows = table.Table{Style: o.Style, Titles: []string{"PID", "STATE", "DEPTH", "DOMAIN", "", "COMMAND"}}
	if o.Wide {
		t.rows.Titles = slices.Insert(t.rows.Titles, 5, "RESTRICTS", "WORKLOAD")
	}
	draw := pen{o: &t.lines, g: branches(o.ASCII), deepest: t.deepest(shown)}
	for line, p := range shown {
		prev, next := domainid.Outermost, domainid.Outermost
		if line > 0 {
			prev = t.domain[shown[line-1]]
		}
		if line+1 < len(shown) {
			next = t.domain[shown[line+1]]
		}
		t.rails.step(prev, t.domain[p], next)
		t.process(p, int32(line), &draw)
	}
	if err := t.rows.Write(w); err != nil {
		return err
	}
	var lines []string
	if n := hidden.Total(); n > 0 {
		lines = append(lines, fmt.Sprintf("Not shown: %s (%s)", plural.Count(n, "process"), words(hidden)))
	}
	return o.Lines(w, append(lines, Below(s)...)...)
}

// Shown returns the places of the processes that Tree shows, in the order of their lines.
func Shown(s *scan.Snapshot, o Options) []int32 {
	o.Fold = false
	shown, _ := newTreeWriter(s, o).layOut()
	return shown
}

// treeWriter writes one tree.
type treeWriter struct {
	s       *scan.Snapshot
	o       Options
	forest  *domainid.Forest
	facts   *facts.Reader
	means   *domainid.Meaning
	letters func(access.Bounds) string
	lines   outline
	rows    table.Table
	rails   *rails
	// domain is the one that all tasks of a process are in, or domainid.Outermost.
	domain []int32
	// folded is how many processes a line stands for.
	folded []int
}

func newTreeWriter(s *scan.Snapshot, o Options) *treeWriter {
	t := &treeWriter{s: s, o: o, forest: s.Forest(), facts: facts.NewReader(s),
		means: s.Meaning(), letters: facts.Letters(s.Kernel.Rights)}
	t.domain = make([]int32, len(s.Processes))
	for i := range s.Processes {
		t.domain[i] = t.facts.Read(int32(i)).Domain
	}
	return t
}

// layOut chooses the processes to show, in the order of their lines, and counts
// the others.
func (t *treeWriter) layOut() (shown []int32, hidden scan.ByState) {
	order := make([]int32, 0, len(t.s.Processes))
	for p := range t.forest.Walk() {
		order = append(order, p)
	}
	keep, hasChild := make([]bool, len(order)), make([]bool, len(order))
	for _, p := range order {
		up := t.forest.Parent(p)
		keep[p] = t.o.keep(&t.s.Processes[p]) || t.o.usual() && t.outside(p) ||
			t.o.Descendants && up >= 0 && keep[up]
	}
	for _, p := range slices.Backward(order) {
		if up := t.forest.Parent(p); keep[p] && up >= 0 {
			keep[up], hasChild[up] = true, true
		}
	}
	folds := t.fold(order, keep, hasChild)
	lineOf := make([]int32, len(order))
	for _, p := range order {
		if !keep[p] {
			hidden[t.s.Processes[p].State]++
			continue
		}
		if folds[p] == 0 {
			continue
		}
		up := t.forest.Parent(p)
		if up >= 0 {
			up = lineOf[up]
		}
		lineOf[p] = t.lines.add(up)
		shown = append(shown, p)
		t.folded = append(t.folded, folds[p])
	}
	t.lines.close()
	return shown, hidden
}

// outside reports whether the parent of a process is in a domain, and the process is known
// to be neither in that nor in one nested in it.
func (t *treeWriter) outside(i int32) bool {
	up := t.forest.Parent(i)
	if up < 0 || t.s.Processes[up].State != scan.Sandboxed {
		return false
	}
	switch t.s.Processes[i].State {
	case scan.Unsandboxed:
		return true
	case scan.Sandboxed:
		d := t.domain[i]
		if t.domain[up] < 0 || d < 0 || !domainid.Whole(t.s.Domains, d) {
			return false
		}
		for at := range domainid.Chain(t.s.Domains, d) {
			if at == t.domain[up] {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// deepest is the deepest level that is indented: names are to have room.
func (t *treeWriter) deepest(shown []int32) int {
	const otherColumns, minName = 46, 16
	nested := 0
	for _, p := range shown {
		nested = max(nested, len(t.rails.chain(nil, t.domain[p])))
	}
	room := t.o.Room(otherColumns + nested)
	if t.o.Wide { // the workload may have half of what is left
		const restricts = 11
		room = (room - restricts) / 2
	}
	return min(maxDrawn, max(2, (room-minName)/2))
}

func (t *treeWriter) process(i, line int32, draw *pen) {
	p := &t.s.Processes[i]
	f := t.facts.Read(i)
	branch := draw.line(line)
	note := t.o.times(t.folded[line])
	if p.State == scan.Unknown && p.Reason != scan.NoReason {
		note += " [" + p.Reason.String() + "]"
	}
	if t.outside(i) {
		note += " [outside]"
	}
	around := untrusted.Columns(branch + note)
	command := table.Cell{Fit: func(room int) string {
		if room > 0 {
			room = max(room-around, 1)
		}
		return branch + t.o.command(p, room) + note
	}}
	row := []table.Cell{table.Number(int(p.PID)),
		table.State(facts.StateWord(p.State, t.s.Ineffective(p))), table.Text(depthsText(p, f)),
		table.Text(domainText(t.s, p, f)), table.Text(t.rails.text)}
	if t.o.Wide {
		restricts, workload := "-", "-"
		if sandbox, inside := t.s.SandboxOf(p); inside {
			restricts = t.letters(sandbox.Restricts)
		}
		if w := t.s.WorkloadOf(p); w != nil {
			workload = w.Name
		}
		row = append(row, table.Text(restricts), t.rows.Name(workload))
	}
	t.rows.Row(append(row, command)...)
	if f.Differ || t.s.Ineffective(p) == access.Yes {
		t.tasks(p, draw.under(line)+draw.g.bullet)
	}
	t.workers(p, draw.under(line)+draw.g.bullet)
}

// detail adds a line of something below a process; tail is left out where it has no room.
func (t *treeWriter) detail(state, depth, domain, text, tail string) {
	row := []table.Cell{{}, table.State(state), table.Text(depth), table.Text(domain),
		table.Text(t.rails.under)}
	if t.o.Wide {
		row = append(row, table.Cell{}, table.Cell{})
	}
	t.rows.Row(append(row, table.Cell{Fit: func(room int) string {
		if room > 0 && untrusted.Columns(text+tail) > room {
			return text
		}
		return text + tail
	}})...)
}

func depthsText(p *scan.Process, f facts.Facts) string {
	switch {
	case p.State == scan.Unsandboxed:
		return "0"
	case p.State == scan.Unknown:
		return "?"
	case p.State == scan.Partial && !f.Exact:
		return fmt.Sprintf("0->=%d", f.MaxDepth)
	case !f.Exact || f.Depth == f.MaxDepth:
		return depthText(f.Depth, f.Exact)
	default:
		return fmt.Sprintf("%d-%d", f.Depth, f.MaxDepth)
	}
}

func domainText(s *scan.Snapshot, p *scan.Process, f facts.Facts) string {
	switch {
	case p.State == scan.Unsandboxed:
		return "-"
	case p.State == scan.Partial:
		return "mixed"
	case p.State == scan.Sandboxed && len(f.Domains) > 1:
		return fmt.Sprintf("%d domains", len(f.Domains))
	case f.Domain >= 0:
		return idText(s.Domains[f.Domain].ID)
	default:
		return "?"
	}
}

// idText is an ID for people, who would take the text form 0 for a number.
func idText(id domainid.ID) string {
	if id == domainid.None {
		return "?"
	}
	return id.String()
}
