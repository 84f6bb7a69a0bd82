// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"fmt"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/scan"
)

// Summary returns one line, without its end, such as
//
//	12 of 40 workloads are sandboxed (30.0 %), 1 partially, 0 unknown;
//	42 of 317 processes are sandboxed (13.2 %), 2 of them ineffective, 1 partially, 0 unknown
//
// Ineffective ones are named only if there are any.
//
// The percentages are the coverage; those in state Unknown stand beside it: they
// are not among the 40 and the 317. The first half is left out if the snapshot has
// no workloads.
func Summary(s *scan.Snapshot) string {
	c := s.Count()
	text := summary(c.Processes, "process", c.Ineffective)
	if all := s.ByWorkload(); all != nil {
		workloads, ineffective := scan.CountWorkloads(all)
		text = summary(workloads, "workload", ineffective) + "; " + text
	}
	return text
}

func summary(c scan.ByState, noun string, ineffective int) string {
	sandboxed, unknown := c.Of(scan.Sandboxed), c.Of(scan.Unknown)
	verb := "are"
	if sandboxed == 1 || c.Known() == 1 {
		verb = "is"
	}
	text := fmt.Sprintf("%d of %s %s sandboxed", sandboxed, plural.Count(c.Known(), noun), verb)
	if c.Known() > 0 {
		text += fmt.Sprintf(" (%s %%)", percent(sandboxed, c.Known()))
	}
	if ineffective > 0 {
		text += fmt.Sprintf(", %d of them ineffective", ineffective)
	}
	more := ""
	if unknown > 0 {
		more = "more "
	}
	return fmt.Sprintf("%s, %d partially, %d %sunknown", text, c.Of(scan.Partial), unknown, more)
}

// percent rounds down to one digit, so that 100.0 means all; only none at all is 0.0.
func percent(part, whole int) string {
	tenths := part * 1000 / whole
	if tenths == 0 && part > 0 {
		return "< 0.1"
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
