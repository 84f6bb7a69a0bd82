// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

// Denials are the last ones of the process that a running daemon has read.
type Denials struct {
	// NotKnown is why they are not known. Empty: they are, as far as Way goes.
	NotKnown string
	// Way is how the daemon reads denials now, Fed whether it has read any one by
	// one, Lost how many it missed, at most, and Remembered how many it remembers
	// of all processes.
	Way        string
	Fed        bool
	Lost       uint64
	Remembered int
	// Last are those of the process, the newest first.
	Last []denials.Denial
}

// Bounds within which a denial is of this process and not of one that had its PID
// before: sources have start times to 10 ms, and the clocks of day and of boot
// differ by what the clock of day was set.
const (
	startTolerance = 10 * time.Millisecond
	clockTolerance = time.Second
)

// DenialsOf returns those denials that are of the process: it has the PID and the
// time of creation; where that is not known, it was there at the time.
func (e *Explanation) DenialsOf(all []denials.Denial) []denials.Denial {
	p := e.Process
	started := e.Snapshot.Started(p)
	return slices.DeleteFunc(slices.Clone(all), func(d denials.Denial) bool {
		switch {
		case d.PID != p.PID:
			return true
		case d.Start != 0:
			return max(d.Start, p.Start)-min(d.Start, p.Start) >= uint64(startTolerance)
		default:
			return started.IsZero() || d.Time.Before(started.Add(-clockTolerance))
		}
	})
}

func (t *textWriter) denials(d *Denials) {
	if d.NotKnown != "" {
		t.line("\nLast denials: not known, which is not none: %s.", plain(d.NotKnown))
		return
	}
	of := fmt.Sprintf("of the %d that the daemon remembers", d.Remembered)
	switch d.Way {
	case scan.DenialsAudit:
		of += "; audit does not report all"
	case scan.DenialsTracepoints:
	default:
		of += "; it reads no more now"
	}
	if d.Lost > 0 {
		of += fmt.Sprintf("; up to %d came too fast to be read", d.Lost)
	}
	if len(d.Last) == 0 {
		t.line("\nLast denials: none of it, %s.", of)
		return
	}
	t.line("\nLast denials of it, %s:", of)
	t.first(maxDenials, len(d.Last), "  %d more: -o json has them", func(i int) {
		t.denial(&d.Last[i])
	})
}

func (t *textWriter) denial(d *denials.Denial) {
	text := fmt.Sprintf("  - %s  %s", d.Time.UTC().Format(time.RFC3339), denialWords(d.Blockers))
	switch {
	case d.Object == denials.Port:
		text += fmt.Sprintf(": %d", d.Port)
	case d.Object == denials.Task && d.TargetPID != 0:
		text += fmt.Sprintf(": %d (%s)", d.TargetPID, t.name(d.Path))
	case d.Path != "":
		text += ": " + t.name(d.Path)
	}
	if d.Count > 1 {
		text += fmt.Sprintf(", %d times, the last at that time", d.Count)
	}
	t.line("%s", text)
}

// denialWords returns what was denied, with the names in the audit log.
func denialWords(blockers []string) string {
	words := make([]string, len(blockers))
	for i, name := range blockers {
		name = plain(name)
		what := name
		switch right, known := access.Lookup(name); {
		case known:
			what = rightWords(right)
		case name == "ptrace":
			what = "trace or look into another process"
		case name == "fs.change_topology":
			what = "mount or unmount"
		}
		if words[i] = what; what != name {
			words[i] += " (" + name + ")"
		}
	}
	if len(words) == 0 {
		return "what is not known"
	}
	return strings.Join(words, ", ")
}
