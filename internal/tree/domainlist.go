// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"cmp"
	"io"
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
)

// DomainSorts are the orders of [ByDomain.Sort].
func DomainSorts() []string { return []string{"processes", "depth", "denials"} }

// ByDomain lists domains of a snapshot.
type ByDomain struct {
	s      *scan.Snapshot
	forest *domainid.Forest
	// Domains are their places in the snapshot.
	Domains []int32
}

// NewByDomain lists all domains.
func NewByDomain(s *scan.Snapshot) *ByDomain {
	l := &ByDomain{s: s, forest: s.Forest(), Domains: make([]int32, len(s.Domains))}
	for i := range l.Domains {
		l.Domains[i] = int32(i)
	}
	return l
}

// Sort puts those with the most processes, the deepest, or those with the most denials first.
func (l *ByDomain) Sort(by string) {
	slices.SortStableFunc(l.Domains, func(i, j int32) int {
		a, b := &l.s.Domains[i], &l.s.Domains[j]
		switch by {
		case "processes":
			return cmp.Compare(l.forest.NumBelow(j), l.forest.NumBelow(i))
		case "depth":
			return cmp.Compare(b.Depth, a.Depth)
		default:
			return cmp.Compare(b.Denials, a.Denials)
		}
	})
}

// Text writes a row for each of some domains. HANDLES is a number of rights. PROCESSES are those
// in it or in one that is nested in it.
func (l *ByDomain) Text(w io.Writer, domains []int32, style table.Style) error {
	t := table.Table{Style: style,
		Titles: []string{"DOMAIN", "DEPTH", "NESTED IN", "PROCESSES", "HANDLES", "DENIALS", "CREATED BY"}}
	for _, i := range domains {
		d := &l.s.Domains[i]
		known := d.Lineage == domainid.LineageKnown
		parent, handles, denials, creator := "-", "?", "?", table.Text("?")
		if up := l.forest.ParentDomain(i); up >= 0 {
			parent = idText(l.s.Domains[up].ID)
		} else if !known {
			parent = "?"
		}
		if !d.Handled.Empty() {
			handles = table.Number(d.Handled.Count()).Text
		}
		if l.s.Source.CountsDenials() {
			denials = table.Number(int(d.Denials)).Text
		}
		if c := &d.Creator; c.PID > 0 {
			creator = t.Name(c.Comm)
		}
		t.Row(table.Text(idText(d.ID)), table.Text(depthText(d.Depth, known)), table.Text(parent),
			table.Number(l.forest.NumBelow(i)), table.Text(handles), table.Text(denials), creator)
	}
	return t.Write(w)
}
