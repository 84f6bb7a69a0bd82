// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// Below returns the lines that stand below every text: what this host or this source cannot
// do, the counts, and what to do where nothing is sandboxed.
func Below(s *scan.Snapshot) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	c := s.Count()
	switch s.Kernel.Landlock {
	case scan.Enabled:
	case scan.Disabled:
		add("Landlock is built into this kernel but was not enabled at boot: " +
			"no process can be sandboxed")
	default:
		add("Landlock is not built into this kernel: no process can be sandboxed")
	}
	if s.Source.PIDNS == "nested" {
		add("Only the processes of an inner PID namespace are seen, not those of the whole host")
	}
	if s.Part {
		add("Only processes that you may look at are seen, not those of the whole host")
	}
	deepest := strconv.Itoa(c.MaxDepth)
	if !c.DepthExact {
		deepest = ">=" + deepest
	}
	if all := s.ByWorkload(); all != nil {
		workloads, ineffective := scan.CountWorkloads(all)
		add("%s: %s", plural.Count(workloads.Total(), "workload"), inStates(workloads, ineffective))
	}
	add("%s: %s; %s; deepest %s", plural.Count(c.Processes.Total(), "process"),
		inStates(c.Processes, c.Ineffective), plural.Count(len(s.Domains), "domain"), deepest)
	if left := Unread(s); left != "" {
		add("Not all is known: %s", left)
	}
	if s.Kernel.Landlock == scan.Enabled && c.Processes[scan.Sandboxed]+c.Processes[scan.Partial] == 0 {
		add("Nothing is known to be sandboxed here. To see a sandbox (util-linux 2.41):")
		add("  setpriv --no-new-privs --landlock-access fs:write sleep 60 &")
		add("What works on this host: landlockd doctor")
	}
	return lines
}

// Unread returns in words what budgets left out of a snapshot, empty if nothing.
func Unread(s *scan.Snapshot) string {
	if s.DomainsUnread == 0 {
		return ""
	}
	were := " were"
	if s.DomainsUnread == 1 {
		were = " was"
	}
	return plural.Count(s.DomainsUnread, "domain") + were + " not read, or without all " +
		"rules, to stay within a budget: state and depth are exact, what they restrict may be unknown"
}

// inStates lists the numbers in all states, and of the sandboxed ones how many are
// ineffective, if any is.
func inStates(n scan.ByState, ineffective int) string {
	note := ""
	if ineffective > 0 {
		note = fmt.Sprintf(" (%d ineffective)", ineffective)
	}
	return fmt.Sprintf("%d sandboxed%s, %d partial, %d unsandboxed, %d unknown",
		n[scan.Sandboxed], note, n[scan.Partial], n[scan.Unsandboxed], n[scan.Unknown])
}

// words lists the states that occur, such as "3 unsandboxed, 1 unknown".
func words(c scan.ByState) string {
	var parts []string
	for _, state := range scan.States() {
		if n := c.Of(state); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}
