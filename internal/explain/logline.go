// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// LogLine returns a line of the daemon's log for people, empty of the first one.
func LogLine(l *api.LogLine, ascii bool) string {
	w := logWords{ascii}
	switch {
	case l.Run != nil:
		return w.run(l.Run)
	case l.Denial != nil:
		return w.denial(l.Denial)
	case l.Domain != nil:
		return w.domain(l.Domain)
	case l.Lost != nil:
		return fmt.Sprintf("%d %s came too fast to be shown here", l.Lost.Count, w.name(l.Lost.Of))
	default:
		return ""
	}
}

type logWords struct{ ascii bool }

func (w logWords) name(text string) string { return untrusted.Escape(text, 0, w.ascii) }

func (w logWords) line(at time.Time, event, format string, args ...any) string {
	return at.UTC().Format(time.RFC3339) + fmt.Sprintf("  %-6s  ", event) + fmt.Sprintf(format, args...)
}

// process names a process, "sh[12] (a.service)".
func (w logWords) process(comm string, pid int32, workload string) string {
	text := "not known"
	if comm != "" {
		text = w.name(comm)
	}
	if pid != 0 {
		text += fmt.Sprintf("[%d]", pid)
	}
	if workload != "" {
		text += " (" + w.name(workload) + ")"
	}
	return text
}

func (w logWords) run(e *runs.Ended) string {
	text := w.process(e.Comm, e.PID, e.Workload) + " "
	if e.Kind == runs.Launch {
		text += "executed another program; it was "
	} else {
		text += "ended "
	}
	text += e.State.String()
	if e.State == scan.Sandboxed {
		text += fmt.Sprintf(" at depth %d", e.Depth)
	}
	if e.Start != 0 {
		text += fmt.Sprintf(", %.1f s old", e.Age.Seconds())
	}
	if e.Count > 1 {
		text += fmt.Sprintf(", the last of %d", e.Count)
	}
	for _, r := range e.Rules {
		if r.Reason != "" {
			text += fmt.Sprintf("; rule %s: %s, %s", w.name(r.Rule), w.name(r.Result),
				strings.ReplaceAll(w.name(r.Reason), "_", " "))
		}
	}
	return w.line(e.Time, e.Kind.String(), "%s", text)
}

func (w logWords) denial(d *denials.Denial) string {
	text := w.process(d.Comm, d.PID, "") + " may not " + denialWords(d.Blockers)
	switch {
	case d.Object == denials.Port:
		text += fmt.Sprintf(": %d", d.Port)
	case d.Object == denials.Task && d.TargetPID != 0:
		text += ": " + w.process(d.Path, d.TargetPID, "")
	case d.Path != "":
		text += ": " + w.name(d.Path)
		if d.TargetPID != 0 {
			text += fmt.Sprintf(" of process %d", d.TargetPID)
		}
	}
	if d.Count > 1 {
		text += fmt.Sprintf(", %d times", d.Count)
	}
	text += fmt.Sprintf("; by domain %s", d.Domain)
	if d.Logged == access.No {
		text += ", which audit does not log"
	}
	return w.line(d.Time, "denial", "%s", text)
}

func (w logWords) domain(a *api.Arrival) string {
	text := fmt.Sprintf("%s at depth %d", a.Domain, a.Depth)
	if a.Parent != 0 {
		text += fmt.Sprintf(", nested in %s", a.Parent)
	}
	if a.PID != nil {
		comm, workload := "", ""
		if a.Comm != nil {
			comm = string(*a.Comm)
		}
		if a.Workload != nil {
			workload = string(*a.Workload)
		}
		text += ": " + w.process(comm, *a.PID, workload)
	}
	return w.line(a.Time, "domain", "%s", text)
}
