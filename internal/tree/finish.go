// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// finish writes what stands below every text: what this host or this source
// cannot do, and the counts.
func finish(w *bufio.Writer, s *scan.Snapshot) {
	switch s.Kernel.Landlock {
	case scan.Enabled:
	case scan.Disabled:
		w.WriteString("Landlock is built into this kernel but was not enabled at boot: " +
			"no process can be sandboxed\n")
	default:
		w.WriteString("Landlock is not built into this kernel: no process can be sandboxed\n")
	}
	if s.Source.PIDNS == "nested" {
		w.WriteString("Only the processes of an inner PID namespace are seen, " +
			"not those of the whole host\n")
	}
	c := s.Count()
	deepest := strconv.Itoa(c.MaxDepth)
	if !c.DepthExact {
		deepest = ">=" + deepest
	}
	if all := s.ByWorkload(); all != nil {
		workloads, ineffective := scan.CountWorkloads(all)
		fmt.Fprintf(w, "%s: %s\n", plural.Count(workloads.Total(), "workload"),
			inStates(workloads, ineffective))
	}
	fmt.Fprintf(w, "%s: %s; %s; deepest %s\n", plural.Count(c.Processes.Total(), "process"),
		inStates(c.Processes, c.Ineffective), plural.Count(len(s.Domains), "domain"), deepest)
	if left := Unread(s); left != "" {
		fmt.Fprintf(w, "Not all is known: %s\n", left)
	}
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
