// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
)

func (t *textWriter) sandbox(b *Sandbox) {
	title := "Sandbox of " + plural.Count(len(b.TIDs), "thread")
	if !t.isAlone(b) {
		title += " (" + tidsText(b.TIDs) + ")"
	}
	n := len(b.Layers)
	if n == 0 {
		n = int(b.Means.Depth)
	}
	layers := plural.Count(n, "layer")
	if !b.Means.Exact {
		layers += " or more"
	}
	t.line("\n%s, %s", title, layers)
	if len(b.Layers) == 0 {
		why := ""
		if t.e.Snapshot.DomainsUnread > 0 { // the one source that has budgets knows all others
			why = ": this scan left it out to stay within a budget"
		}
		t.line("  its domain is not known%s", why)
	}
	t.first(maxDomains, len(b.Layers), "  %d more layers", func(i int) { t.domain(&b.Layers[i]) })
	if more := len(b.Domains()) - 1; more > 0 {
		t.line("  The other threads are in %s that let do the same.", plural.Count(more, "other domain"))
	}
	t.line("\n%s", t.permissionsTitle(b))
	t.permissions(b)
	switch paths := t.pathsText(); {
	case !slices.ContainsFunc(b.Permissions, func(d Permission) bool { return d.lists() }):
	case t.e.NoPlaces != "":
		t.line("  Paths: %s.", t.e.NoPlaces)
	case paths != "":
		t.line("  Paths are %s.", paths)
	}
}

// isAlone reports whether all threads of the process are in a sandbox.
func (t *textWriter) isAlone(b *Sandbox) bool {
	return len(b.TIDs) == t.e.inside()+t.e.Free+t.e.Unknown
}

// permissionsTitle names the threads that the permissions are of, and what the others may do.
func (t *textWriter) permissionsTitle(b *Sandbox) string {
	if t.isAlone(b) {
		return fmt.Sprintf("What it may still do, as far as Landlock goes%s:", t.butWorkers())
	}
	where := "this domain"
	if len(b.Domains()) > 1 {
		where = "these domains"
	}
	text := fmt.Sprintf("What its %s in %s may still do, as far as Landlock goes%s",
		plural.Count(len(b.TIDs), "thread"), where, t.butWorkers())
	var others []string
	if n := t.e.Free; n == 1 {
		others = append(others, "1 is in no domain and may do everything")
	} else if n > 1 {
		others = append(others, fmt.Sprintf("%d are in no domain and may do everything", n))
	}
	if n := t.e.inside() - len(b.TIDs); n > 0 {
		others = append(others, fmt.Sprintf("%d in other sandboxes may do what those let do", n))
	}
	if n := t.e.Unknown; n > 0 {
		others = append(others, fmt.Sprintf("of %d it is not known", n))
	}
	return fmt.Sprintf("%s; of its other threads, %s:", text, strings.Join(others, ", "))
}

// domain writes one layer, and the domain whose own layer it is.
func (t *textWriter) domain(l *domainid.Layer) {
	s := t.e.Snapshot
	d := &s.Domains[l.Domain]
	id := "?"
	if d.ID != domainid.None {
		id = d.ID.String()
	}
	depth := fmt.Sprint(d.Depth)
	if d.Lineage != domainid.LineageKnown {
		depth += " or deeper"
	}
	text := fmt.Sprintf("  domain %s, depth %s", id, depth)
	if c := &d.Creator; *c != (domainid.Creator{}) {
		text += fmt.Sprintf(", made by %d (%s) of user %d", c.PID, t.name(c.Comm), c.UID)
		if c.Exe != "" {
			text += ", " + t.name(c.Exe)
		}
	}
	text += t.layerText(l) + "; holds " + plural.Count(t.forest.NumBelow(l.Domain), "process")
	if n := len(t.forest.NestedDomains(l.Domain)); n > 0 {
		text += " and " + plural.Count(n, "nested domain")
	}
	if s.Source.Denials != "none" {
		denied := "nothing"
		if d.Denials > 0 {
			denied = plural.Count(d.Denials, "access")
		}
		text += "; denied " + denied
		switch d.Log {
		case domainid.LogDisabled:
			text += ", which the kernel does not log"
		case domainid.LogPending, domainid.LogRecorded:
			text += ", which the kernel logs where audit runs"
		}
	}
	t.line("%s", text)
}

// layerText returns how much a layer handles and, for the threads of the sandbox,
// restricts.
func (t *textWriter) layerText(l *domainid.Layer) string {
	if d := &t.e.Snapshot.Domains[l.Domain]; l.Handles.Sure.Empty() {
		if t.e.Snapshot.Source.Rules != "read" || d.HandlesOther {
			return ""
		}
		return "; what it denies is not known: it is of a kind that is newer than this " +
			"landlockd, or its rules have changed"
	}
	text := "; handles " + plural.Count(l.Handles.Sure.Count(), "right")
	if l.Doubt.Has(domainid.ClassUnknown) {
		text += " and some that have no name here"
	}
	if t.e.Snapshot.Source.Rules == "read" {
		sure, perhaps := l.Restricts.Sure.Count(), l.Restricts.May.Count()
		if sure == perhaps {
			text += fmt.Sprintf(", restricts %d", sure)
		} else {
			text += fmt.Sprintf(", restricts at least %d and at most %d", sure, perhaps)
		}
	}
	if rs := t.e.Snapshot.Domains[l.Domain].Ruleset; rs != nil {
		text += ", has " + plural.Count(int(rs.Rules), "rule")
	}
	return text
}

// tidsText lists threads.
func tidsText(tids []int32) string { return plural.First(tids, 6) }

// threadsText names threads.
func threadsText(tids []int32) string {
	if len(tids) == 1 {
		return "thread " + tidsText(tids)
	}
	return "threads " + tidsText(tids)
}
