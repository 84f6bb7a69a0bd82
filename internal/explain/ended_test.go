// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

func endedText(t testing.TB, all []runs.Ended, ascii bool, width int) string {
	t.Helper()
	var b bytes.Buffer
	if err := EndedText(&b, all, 12, ascii, width); err != nil {
		t.Fatal(err)
	}
	hosts.CheckSafe(t, b.String())
	return b.String()
}

func TestEndedText(t *testing.T) {
	at := time.Unix(1_750_000_100, 0)
	run := runs.Ended{
		Time: at, Count: 1, PID: 2301, Start: 5, Age: 12_340 * time.Millisecond, Comm: "resolver",
		Exe: "/usr/bin/resolver", ExeOrigin: scan.OfHost, UID: 993, Workload: "resolver.service",
		State: scan.Unsandboxed,
		Rules: []runs.EndedRule{
			{Rule: "resolver", Severity: "critical", Result: "violating", Reason: "right_not_restricted"},
			{Rule: "all", Severity: "info", Result: "unknown"},
		},
	}
	const want = `Process 2301 (resolver) has ended; it was unsandboxed
  executable  /usr/bin/resolver
  workload    resolver.service
  started     2025-06-15T15:08:07Z
  ended       2025-06-15T15:08:20Z, 12.3 s old
  ran as      user 993
Rules about it:
  - resolver (critical): violating; right not restricted
  - all (info): unknown

No more is known of a process that has ended, and this only of the last 12 that ended
outside of a sandbox or broke a rule.
`
	if got := endedText(t, []runs.Ended{run}, true, 0); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	nothing := runs.Ended{Time: at, Count: 3, Kind: runs.Launch, PID: 7, ExeCut: true, UID: scan.NoUser}
	wants(t, endedText(t, []runs.Ended{nothing}, true, 0),
		"Process 7 (not known) executed another program; it was unknown\n",
		"  executable  not known (too long)\n", "  workload    not known\n", "  ran as      not known\n",
		"  until       2025-06-15T15:08:20Z\n", "  counted     with 2 others that ended alike before it\n")
	deep := runs.Ended{Time: at, PID: 7, State: scan.Sandboxed, Depth: 2}
	wants(t, endedText(t, []runs.Ended{deep}, true, 0), "; it was sandboxed at depth 2\n", "user 0\n")
	deep.State = scan.Partial
	many := make([]runs.Ended, maxEnded+2)
	for i := range many {
		many[i] = deep
	}
	text := endedText(t, many, true, 0)
	wants(t, text, "; it was partial: some of its threads", "\n2 more that had this PID: ")
	if n := strings.Count(text, "Process 7 ("); n != maxEnded {
		t.Errorf("%d are shown, want %d", n, maxEnded)
	}
}

// FuzzEndedText: whatever the text of what ended is, none of it can act on a terminal, or look
// like a line of its own.
func FuzzEndedText(f *testing.F) {
	f.Add("x\n- y\x1b[2J", "/tmp/\xff", "a\u200b b", "\u202e", uint8(3), uint16(9))
	f.Fuzz(func(t *testing.T, comm, exe, workload, rule string, state uint8, width uint16) {
		e := runs.Ended{
			Count: uint64(width), PID: 7, Start: uint64(state), Comm: comm, Exe: exe, Workload: workload,
			ExeCut: state&4 != 0, ExeOrigin: scan.Origin(state >> 3 & 3), State: scan.State(state & 3),
			Rules: []runs.EndedRule{{Rule: rule, Severity: rule, Result: rule, Reason: rule}},
		}
		lines := strings.Count(endedText(t, []runs.Ended{{PID: 7, Count: e.Count, Start: e.Start,
			Rules: make([]runs.EndedRule, 1)}}, true, 0), "\n")
		if n := strings.Count(endedText(t, []runs.Ended{e}, state&1 == 0, 0), "\n"); n != lines {
			t.Fatalf("%d lines, want %d", n, lines)
		}
		endedText(t, []runs.Ended{e}, true, int(width))
	})
}
