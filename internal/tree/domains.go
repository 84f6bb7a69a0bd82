// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Domains writes each domain and under it the process trees that live in it
// and the domains that are nested in it:
//
//	domain 1e67bda0b  depth 1, outermost, handles 16 rights, ...; 2 processes (1 deeper)
//	├─2301 bash [1 child deeper]
//	└─domain 1e67bda19  depth 2, in 1e67bda0b, handles 16 rights, ...; 1 process
//	  └─2350 bash
//
// "..." stands for parts such as "7 rules with its parents', 0 denials". "Deeper" are
// processes with a task in a domain nested in the one named. A process stands under
// each domain that one of its tasks is in.
func Domains(w io.Writer, s *scan.Snapshot, o Options) error {
	v := &domainWriter{w: bufio.NewWriter(w), s: s, o: o, forest: s.Forest()}
	v.layOut()
	v.annotate()
	draw := pen{o: &v.lines, g: branches(o.ASCII), deepest: maxDrawn}
	for line, r := range v.rows {
		branch := draw.line(int32(line))
		v.w.WriteString(branch)
		if r.process < 0 {
			under, room := draw.under(int32(line)), 0
			if v.o.Width > 0 {
				room = max(v.o.Width-untrusted.Columns(under), 1)
			}
			text := untrusted.Wrap(v.domain(r.domain), room)
			v.w.WriteString(strings.ReplaceAll(text, "\n", "\n"+under))
		} else {
			v.process(line, untrusted.Columns(branch))
		}
		v.w.WriteByte('\n')
	}
	v.footer()
	return v.w.Flush()
}

type domainWriter struct {
	w      *bufio.Writer
	s      *scan.Snapshot
	o      Options
	forest *domainid.Forest
	lines  outline
	rows   []domainRow
	notes  []domainNote
	// folds is for how many processes each one's line stands.
	folds []int
}

func (v *domainWriter) domain(d int32) string {
	domain := &v.s.Domains[d]
	parent := "outermost"
	switch up := v.forest.ParentDomain(d); {
	case up >= 0:
		parent = "in " + idText(v.s.Domains[up].ID)
	case domain.Lineage != domainid.LineageKnown:
		parent = "parent not known"
	}
	known := domain.Lineage == domainid.LineageKnown
	text := fmt.Sprintf("domain %s  depth %s, %s, %s", idText(domain.ID),
		depthText(domain.Depth, known), parent, handledText(domain))
	if domain.Rules != domainid.RulesUncounted {
		text += ", " + plural.Count(int(domain.Rules), "rule")
		if !known || domain.Depth > 1 {
			text += " with its parents'"
		}
	}
	if v.s.Source.CountsDenials() {
		text += ", " + plural.Count(domain.Denials, "denial")
	}
	below := v.forest.NumBelow(d)
	text += "; " + plural.Count(below, "process")
	if deeper := below - len(v.forest.Members(d)); deeper > 0 {
		text += fmt.Sprintf(" (%d deeper)", deeper)
	}
	if c := &domain.Creator; c.PID > 0 {
		text += fmt.Sprintf("; created by %d ", c.PID) +
			untrusted.Fixed(untrusted.Escape(c.Comm, 0, v.o.ASCII))
	}
	return text
}

func handledText(d *domainid.Domain) string {
	if d.Handled.Empty() && !d.HandlesOther { // no kernel makes a domain that handles nothing
		return "handled rights not known"
	}
	text := "handles " + plural.Count(d.Handled.Count(), "right")
	if d.HandlesOther {
		text += " and newer ones that have no name here"
	}
	return text
}

func (v *domainWriter) process(line, used int) {
	p := &v.s.Processes[v.rows[line].process]
	n := v.notes[line]
	notes := v.o.times(v.folds[v.rows[line].process])
	if v.s.Ineffective(p) == access.Yes {
		notes += " [ineffective]"
	}
	for text := range outsideWorkers(v.s, p) {
		notes += " [" + text + "]"
	}
	if n.threads < int(p.NumTasks) {
		notes += fmt.Sprintf(" [%d of %s]", n.threads, plural.Count(int(p.NumTasks), "thread"))
	}
	if n.deeper > 0 {
		notes += fmt.Sprintf(" [%s deeper]", plural.Count(n.deeper, "child"))
	}
	front := fmt.Sprintf("%d ", p.PID)
	v.w.WriteString(front + v.o.command(p, v.o.Room(used+len(front)+len(notes))) + notes)
}

func (v *domainWriter) footer() {
	if len(v.s.Domains) == 0 {
		v.w.WriteString("No domain is known\n")
	}
	unnamed := 0
	for i := range v.s.Processes {
		if slices.ContainsFunc(v.s.TasksOf(&v.s.Processes[i]), func(t scan.Task) bool {
			return t.State == scan.Sandboxed && v.s.DomainOf(t) < 0
		}) {
			unnamed++
		}
	}
	if unnamed > 0 {
		fmt.Fprintf(v.w, "%s in domains that are not known\n", plural.Are(unnamed, "process"))
	}
	_ = v.o.Lines(v.w, Below(v.s)...) // Flush returns what went wrong
}
