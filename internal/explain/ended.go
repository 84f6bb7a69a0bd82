// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// EndedText writes for people what processes were that have ended, the newest first, of the
// number that the daemon remembers. ascii and width are as for Text.
func EndedText(w io.Writer, all []runs.Ended, remembered int, ascii bool, width int) error {
	t := &textWriter{Writer: bufio.NewWriter(w), ascii: ascii, width: width}
	t.first(maxEnded, len(all), "%d more that had this PID: -o json has them\n", func(i int) {
		t.ended(&all[i])
	})
	t.line("No more is known of a process that has ended, and this only of the last %d that ended\n"+
		"outside of a sandbox or broke a rule.", remembered)
	return t.Flush()
}

func (t *textWriter) ended(e *runs.Ended) {
	how, when := "has ended", "ended"
	if e.Kind == runs.Launch {
		how, when = "executed another program", "until"
	}
	state := e.State.String()
	switch e.State {
	case scan.Partial:
		state += ": some of its threads were in a domain, some in none"
	case scan.Sandboxed:
		state += fmt.Sprintf(" at depth %d", e.Depth)
	}
	t.line("Process %d (%s) %s; it was %s", e.PID, t.name(e.Comm), how, state)
	t.line("  executable  %s", t.executable(&scan.Process{
		Exe: e.Exe, ExeCut: e.ExeCut, ExeDeleted: e.ExeDeleted, ExeOrigin: e.ExeOrigin,
	}))
	t.line("  workload    %s", t.name(e.Workload))
	age := ""
	if e.Start != 0 {
		t.line("  started     %s", e.Time.Add(-e.Age).UTC().Format(time.RFC3339))
		age = fmt.Sprintf(", %.1f s old", e.Age.Seconds())
	}
	t.line("  %-10s  %s%s", when, e.Time.UTC().Format(time.RFC3339), age)
	user := "not known"
	if e.UID != scan.NoUser {
		user = userWords([]uint32{e.UID})
	}
	t.line("  ran as      %s", user)
	if e.Count > 1 {
		t.line("  counted     with %s that ended alike before it",
			plural.Count(int(e.Count-1), "other"))
	}
	if len(e.Rules) > 0 {
		t.line("Rules about it:")
	}
	for _, r := range e.Rules {
		text := fmt.Sprintf("  - %s (%s): %s", plain(r.Rule), plain(r.Severity), plain(r.Result))
		if r.Reason != "" {
			text += "; " + strings.ReplaceAll(plain(r.Reason), "_", " ")
		}
		t.line("%s", text)
	}
	t.line("")
}
