// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/view"
	"github.com/landlockd/landlockd/scan"
)

// Bounds of what text has; JSON has all.
const (
	maxSandboxes = 8
	maxFiles     = 24
	maxDomains   = 16
	maxDenials   = 10
)

// Text writes the explanation for people. ascii: the terminal has no UTF-8.
func (e *Explanation) Text(w io.Writer, ascii bool) error {
	t := &textWriter{Writer: bufio.NewWriter(w), e: e, ascii: ascii, forest: view.Forest(e.Snapshot)}
	t.process()
	for i := range e.Sandboxes {
		if i == maxSandboxes {
			t.line("%d more sandboxes: -o json has them", len(e.Sandboxes)-i)
			break
		}
		t.sandbox(&e.Sandboxes[i])
	}
	if e.Denials != nil {
		t.denials(e.Denials)
	}
	t.rules()
	if e.Sockets != nil {
		t.sockets(e.Sockets)
	}
	return t.Flush()
}

type textWriter struct {
	*bufio.Writer
	e     *Explanation
	ascii bool

	forest *domainid.Forest
}

// line writes one line. What is put into it is escaped already.
func (t *textWriter) line(format string, a ...any) { fmt.Fprintf(t.Writer, format+"\n", a...) }

func (t *textWriter) name(text string) string {
	if text == "" {
		return "not known"
	}
	return view.Escape(text, 0, t.ascii)
}

func (t *textWriter) process() {
	s, p := t.e.Snapshot, t.e.Process
	t.line("Process %d (%s) is %s", p.PID, view.Escape(p.Comm.String(), 0, t.ascii), stateWords(p))
	t.line("  executable  %s", t.name(p.Exe))
	workload := ""
	if w := s.WorkloadOf(p); w != nil {
		workload = w.FullName
	}
	t.line("  workload    %s", t.name(workload))
	if at := view.Started(s, p); !at.IsZero() {
		t.line("  started     %s", at.UTC().Format(time.RFC3339))
	}
	t.line("  runs as     %s", strings.Join(hardening(p), ", "))
	t.line("  threads     %s", t.threads())
	if s.Kernel.Landlock != scan.Enabled {
		t.line("\nThis kernel can sandbox nothing: Landlock is %s.", strings.ReplaceAll(s.Kernel.Landlock.String(), "_", " "))
	} else if p.State == scan.Unsandboxed {
		t.line("\nIt is in no domain: Landlock keeps it from nothing.")
	} else if t.e.Free > 0 {
		t.line("\nThrough its threads that are in no domain, Landlock keeps it from nothing.")
	}
}

func stateWords(p *scan.Process) string {
	text := p.State.String()
	switch {
	case p.State == scan.Sandboxed:
		text += fmt.Sprintf(" at depth %d", max(1, p.Depth))
	case p.State == scan.Unknown && p.Reason != scan.NoReason:
		text += " (" + p.Reason.String() + ")"
	}
	return text
}

func hardening(p *scan.Process) []string {
	words := []string{fmt.Sprintf("user %d", p.UID)}
	if p.State == scan.Unknown && p.Reason == scan.Denied {
		return words
	}
	if p.NoNewPrivs {
		words = append(words, "no_new_privs")
	}
	switch p.Seccomp {
	case 0:
	case 1:
		words = append(words, "strict seccomp")
	default:
		words = append(words, "a seccomp filter")
	}
	if p.UserNS != 0 && p.UserNS != scan.InitUserNS {
		words = append(words, "a user namespace of its own")
	}
	return words
}

func (t *textWriter) threads() string {
	inside := 0
	for i := range t.e.Sandboxes {
		inside += t.e.Sandboxes[i].Tasks
	}
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{{inside, "in a domain"}, {t.e.Free, "in no domain"}, {t.e.Unknown, "of which that could not be told"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	text := strings.Join(parts, ", ")
	if n := len(t.e.Sandboxes); n > 1 {
		text += fmt.Sprintf(", in %d sandboxes that differ", n)
	}
	return text
}

func (t *textWriter) sandbox(b *Sandbox) {
	chain := b.Chain(t.e.Snapshot)
	t.line("\nSandbox of %s, %s", count(b.Tasks, "thread"), count(len(chain), "layer"))
	if len(chain) == 0 {
		t.line("  its domain is not known")
	}
	for i, d := range chain {
		if i == maxDomains {
			t.line("  %d more layers", len(chain)-i)
			break
		}
		t.domain(d)
	}
	if more := len(b.Domains) - 1; more > 0 {
		t.line("  The other threads are in %s that let do the same.", count(more, "other domain"))
	}
	t.line("\nWhat it may still do, as far as Landlock goes:")
	for i := range b.Deeds {
		t.deed(&b.Deeds[i])
	}
	if t.e.NoPlaces != "" && len(t.e.Files()) > 0 {
		t.line("  Paths: %s.", t.e.NoPlaces)
	}
}

func (t *textWriter) domain(i int32) {
	d := &t.e.Snapshot.Domains[i]
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
	if d.Handled != (access.Rights{}) {
		text += fmt.Sprintf("; handles %s", count(len(access.Of(d.Handled)), "right"))
		if d.Ruleset != nil {
			text += fmt.Sprintf(", restricts %d, has %s", len(access.Of(d.Restricted())), count(int(d.Ruleset.Rules), "rule"))
		}
	}
	text += fmt.Sprintf("; holds %s", processes(t.forest.NumBelow(i)))
	if n := len(t.forest.NestedDomains(i)); n > 0 {
		text += " and " + count(n, "nested domain")
	}
	if t.e.Snapshot.Source.Denials != "none" {
		text += fmt.Sprintf("; denied %s", times(d.Denials))
		switch d.Log {
		case domainid.LogDisabled:
			text += ", which the kernel does not log"
		case domainid.LogPending, domainid.LogRecorded:
			text += ", which the kernel logs where audit runs"
		}
	}
	t.line("%s", text)
}

func (t *textWriter) deed(d *Deed) {
	if d.May != Limited || d.Rights[0].Class == access.Net || len(d.Limits) == 1 && len(d.Limits[0].Files) == 0 {
		t.line("  - %s: %s", d.What(), d.Where())
		return
	}
	together, known := t.e.Together(d)
	switch {
	case len(d.Limits) == 1:
		t.line("  - %s: %s", d.What(), d.Where())
	case known && len(together) > 0:
		t.line("  - %s: %s, which all of %s grant, by the paths that were found", d.What(), d.Where(), count(len(d.Limits), "layer"))
		for i, path := range together {
			if i == maxFiles {
				t.line("      %d more", len(together)-i)
				break
			}
			t.line("      %s", t.name(path))
		}
		return
	default:
		t.line("  - %s: only below what each of %s grants", d.What(), count(len(d.Limits), "layer"))
	}
	for i := range d.Limits {
		indent := "      "
		if len(d.Limits) > 1 {
			t.line("      the layer of depth %d:", d.Limits[i].Depth)
			indent += "  "
		}
		t.files(&d.Limits[i], indent)
	}
	if d.More {
		t.line("      and what rules grant that are not known")
	}
}

func (t *textWriter) files(l *Limit, indent string) {
	for i, f := range l.Files {
		if i == maxFiles {
			t.line("%s%d more", indent, len(l.Files)-i)
			return
		}
		if path, found := t.e.Places[File{f.Dev, f.Ino}]; found {
			t.line("%s%s", indent, t.name(path))
			continue
		}
		what := fmt.Sprintf("inode %d", f.Ino)
		if f.FSRoot {
			what = "the root of the filesystem"
		}
		t.line("%s%s on device %s, of which no path is known", indent, what, view.DeviceText(f.Dev))
	}
}

func (t *textWriter) rules() {
	applied := false
	for i := range t.e.Rules {
		x := &t.e.Rules[i]
		if x.Applies == "no" {
			continue
		}
		if !applied {
			t.line("\nRules about it:")
		}
		applied = true
		text := fmt.Sprintf("  - %s (%s): %s", x.Rule.Name, x.Rule.Severity, x.Outcome)
		for _, why := range []string{x.Why, x.Text} {
			if why != "" {
				text += "; " + plain(why)
			}
		}
		t.line("%s", text)
	}
	if !applied && len(t.e.Rules) > 0 {
		t.line("\nNone of %s is about it.", count(len(t.e.Rules), "rule"))
	}
}

// plain lets words through as they are, and quotes what is none.
func plain(text string) string {
	for _, r := range text {
		if r < ' ' || r > '~' {
			return view.Escape(text, 0, true)
		}
	}
	return text
}

func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}

func times(n uint64) string {
	switch n {
	case 0:
		return "nothing"
	case 1:
		return "1 access"
	default:
		return fmt.Sprintf("%d accesses", n)
	}
}
