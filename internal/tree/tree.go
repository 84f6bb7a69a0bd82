// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Tree writes the host's process tree with the state, the depth and the domain
// of each process, one line each:
//
//	PID    STATE        DEPTH DOMAIN       COMMAND
//	1      unsandboxed      0 -            systemd
//	812    unsandboxed      0 -            └─sshd
//	2301   sandboxed        1 1e67bda0b      └─bash
//	2350   sandboxed        2 1e67bda19        └─bash
//
// The state of a sandboxed process that restricts nothing is "ineffective". A depth
// of ">=2" is a lower bound, "1-3" the shallowest and the deepest task. "?" is what
// is not known. If a process's tasks are in different states or domains, or only
// some of them are ineffective, they are listed under it, and so are workers that may
// act outside of its domains. The lines at the end count what is not shown and what was
// found.
func Tree(w io.Writer, s *scan.Snapshot, o Options) error {
	t := &treeWriter{w: bufio.NewWriter(w), s: s, o: o, facts: facts.NewReader(s),
		means: s.Meaning()}
	shown, hidden := t.layOut()
	t.measure(shown)
	if len(shown) > 0 {
		t.columnsOf("PID", "STATE", "DEPTH", "DOMAIN")
		t.w.WriteString("COMMAND\n")
	}
	draw := pen{o: &t.lines, g: branches(o.ASCII)}
	for line, p := range shown {
		t.process(p, int32(line), &draw)
	}
	if n := hidden.Total(); n > 0 {
		fmt.Fprintf(t.w, "Not shown: %s (%s)\n", plural.Count(n, "process"), words(hidden))
	}
	finish(t.w, s)
	return t.w.Flush()
}

// treeWriter writes one tree. Errors of w stay in it until Flush.
type treeWriter struct {
	w     *bufio.Writer
	s     *scan.Snapshot
	o     Options
	facts *facts.Reader
	means *domainid.Meaning
	lines outline
	// pidWidth and domainWidth are the widths of columns.
	pidWidth, domainWidth int
}

// layOut chooses the processes to show, in the order of their lines, and counts
// the others.
func (t *treeWriter) layOut() (shown []int32, hidden scan.ByState) {
	forest := t.s.Forest()
	order := make([]int32, 0, len(t.s.Processes))
	for p := range forest.Walk() {
		order = append(order, p)
	}
	keep := make([]bool, len(order))
	for _, p := range slices.Backward(order) {
		keep[p] = keep[p] || t.o.keep(&t.s.Processes[p])
		if up := forest.Parent(p); keep[p] && up >= 0 {
			keep[up] = true
		}
	}
	lineOf := make([]int32, len(order))
	for _, p := range order {
		if !keep[p] {
			hidden[t.s.Processes[p].State]++
			continue
		}
		up := forest.Parent(p)
		if up >= 0 {
			up = lineOf[up]
		}
		lineOf[p] = t.lines.add(up)
		shown = append(shown, p)
	}
	t.lines.close()
	return shown, hidden
}

// measure finds the widths of the columns that depend on what is in them.
func (t *treeWriter) measure(shown []int32) {
	t.pidWidth, t.domainWidth = len("PID   "), len("DOMAIN    ")
	for _, p := range shown {
		t.pidWidth = max(t.pidWidth, len(strconv.Itoa(int(t.s.Processes[p].PID))))
	}
	for i := range t.s.Domains {
		t.domainWidth = max(t.domainWidth, len(t.s.Domains[i].ID.String()))
	}
}

// columnsOf writes all columns but the last, and returns their width.
func (t *treeWriter) columnsOf(pid, state, depth, domain string) int {
	n, _ := fmt.Fprintf(t.w, "%-*s %-11s %6s %-*s ", t.pidWidth, pid, state, depth,
		t.domainWidth, domain)
	return n
}

func (t *treeWriter) process(i, line int32, draw *pen) {
	p := &t.s.Processes[i]
	f := t.facts.Read(i)
	used := t.columnsOf(strconv.Itoa(int(p.PID)), facts.StateWord(p.State, t.s.Ineffective(p)), depthsText(p, f),
		domainText(t.s, p, f))
	branch := draw.line(line)
	note := ""
	if p.State == scan.Unknown && p.Reason != scan.NoReason {
		note = " [" + p.Reason.String() + "]"
	}
	name := t.o.command(p, t.o.Room(used+untrusted.Columns(branch)+len(note)))
	t.w.WriteString(branch + name + note + "\n")
	if f.Differ || t.s.Ineffective(p) == access.Yes {
		t.tasks(p, draw.under(line)+draw.g.bullet)
	}
	t.workers(p, draw.under(line)+draw.g.bullet)
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
