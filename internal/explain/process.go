// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// process writes what is known of the process beside its sandbox.
func (t *textWriter) process() {
	s, p := t.e.Snapshot, t.e.Process
	comm := t.escape(p.Comm.String())
	t.line("Process %d (%s) is %s", p.PID, comm, t.e.stateWords())
	t.line("  executable  %s", t.executable(p))
	workload := ""
	if w := s.WorkloadOf(p); w != nil {
		workload = w.FullName
	}
	t.line("  workload    %s", t.name(workload))
	if at := s.Started(p); !at.IsZero() {
		t.line("  started     %s", at.UTC().Format(time.RFC3339))
	}
	t.line("  runs as     %s", strings.Join(hardening(s, p), ", "))
	t.line("  threads     %s", t.threads())
	t.roots()
}

// executable is the path, and what is to be known of it.
func (t *textWriter) executable(p *scan.Process) string {
	text := t.name(p.Exe)
	switch {
	case p.ExeCut && p.Exe == "":
		text += " (too long)"
	case p.ExeCut:
		text += " (the beginning of a longer path)"
	}
	if p.ExeDeleted {
		text += " (deleted since)"
	}
	switch p.ExeOrigin {
	case scan.OfImage:
		text += ", below another root directory than the host's"
	case scan.OfUser:
		text += ", by the word of its user: not necessarily that file of the host"
	case scan.OriginUnknown:
		if p.Exe != "" {
			text += ", it is not known by whose word"
		}
	}
	return text
}

// inside returns the number of tasks that are in a domain.
func (e *Explanation) inside() int {
	n := 0
	for _, b := range e.Sandboxes {
		n += len(b.TIDs)
	}
	return n
}

func (e *Explanation) stateWords() string {
	s, p := e.Snapshot, e.Process
	text := p.State.String()
	switch p.State {
	case scan.Unknown:
		if p.Reason != scan.NoReason {
			text += " (" + p.Reason.String() + ")"
		}
	case scan.Partial:
		inside, are := e.inside(), "are"
		if inside == 1 {
			are = "is"
		}
		text += fmt.Sprintf(": %d of its %s %s in a domain",
			inside, plural.Count(int(p.NumTasks), "thread"), are)
	case scan.Sandboxed:
		sandbox, _ := s.SandboxOf(p)
		text += " at depth " + depthWords(&sandbox)
		switch s.Ineffective(p) {
		case access.Yes:
			text += ", but restricted in nothing (ineffective)"
		case access.Unknown:
			text += "; whether it is restricted in anything is not known: " +
				strings.Join(sandbox.Doubt.Sentences(), "; ")
		}
	}
	return text
}

func depthWords(b *domainid.Sandbox) string {
	switch {
	case !b.Exact:
		return fmt.Sprintf("%d or deeper", b.Depth)
	case b.Deepest > b.Depth:
		return fmt.Sprintf("%d to %d", b.Depth, b.Deepest)
	default:
		return fmt.Sprint(b.Depth)
	}
}

func hardening(s *scan.Snapshot, p *scan.Process) []string {
	words := []string{userWords(s.UIDs(p))}
	if p.State == scan.Unknown && p.Reason == scan.Denied {
		return words
	}
	tasks := s.TasksOf(p)
	for _, h := range []struct {
		extent scan.Extent
		of     scan.Hardening
		what   string
	}{
		{p.NoNewPrivs, scan.NoNewPrivs, "no_new_privs"},
		{p.Seccomp, scan.SeccompStrict | scan.SeccompFilter, "seccomp"},
	} {
		switch h.extent {
		case scan.OfAll:
			words = append(words, h.what)
		case scan.OfSome:
			n := 0
			for _, t := range tasks {
				if t.Hardening&h.of != 0 {
					n++
				}
			}
			of := plural.Count(len(tasks), "thread")
			words = append(words, fmt.Sprintf("%s in %d of %s only", h.what, n, of))
		}
	}
	if p.UserNS != 0 && p.UserNS != scan.InitUserNS {
		words = append(words, "a user namespace of its own")
	}
	return words
}

// userWords names the users that the threads of a process are.
func userWords(uids []uint32) string {
	words := some(uids, maxUsers, func(uid uint32) string { return fmt.Sprint(uid) })
	if len(words) == 1 {
		return "user " + words[0]
	}
	return "users " + strings.Join(words, ", ") + " (threads differ)"
}

// maxUsers is how many users text has of one process.
const maxUsers = 8

func (t *textWriter) threads() string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{t.e.inside(), "in a domain"},
		{t.e.Free, "in no domain"},
		{t.e.Unknown, "of which that is not known"},
	} {
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

// whole writes what the process may do as a whole, where its threads are in several sandboxes.
func (t *textWriter) whole() {
	s, e := t.e.Snapshot, t.e
	if e.Free > 0 {
		return // the summary has it
	}
	sandbox, inside := s.SandboxOf(e.Process)
	if !inside || len(e.Sandboxes) == 1 && e.Unknown == 0 {
		return
	}
	t.line("\nAs a whole it may do what any of its threads may, which share memory and open files.")
	if s.Source.Rules == "read" {
		t.line("  In all of them this is restricted: %s.",
			rightsText(sandbox.Restricts.Sure, "nothing"))
	} else {
		t.line("  In all of them this is handled: %s.", rightsText(sandbox.Handles.Sure, "nothing"))
	}
	if open := e.openRights(&sandbox); !open.Empty() {
		t.line("  Whether this is, is not known: %s (%s).", rightsText(open, ""),
			strings.Join(sandbox.Doubt.Sentences(), "; "))
	}
}

// openRights returns the rights with a name of which it is not known whether all
// threads are restricted in them.
func (e *Explanation) openRights(sandbox *domainid.Sandbox) access.Rights {
	open := sandbox.Restricts.Unknown()
	if e.Snapshot.Source.Rules != "read" {
		open = sandbox.Handles.Unknown()
	}
	// What this kernel cannot restrict, it does not.
	return open.Intersect(e.Snapshot.Kernel.Rights.May).Without(unnamed(open))
}

// rightsText names rights as in the audit log.
func rightsText(r access.Rights, none string) string {
	if r.Empty() {
		return none
	}
	return strings.Join(access.Names(r), ", ")
}
