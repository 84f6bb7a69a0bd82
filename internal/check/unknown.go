// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"io"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/view"
	"github.com/landlockd/landlockd/scan"
)

// unknownJSON is the first of a rule's processes that are unknown.
type unknownJSON struct {
	Why     string `json:"why"`
	Process any    `json:"process"`
}

// firstUnknown returns the first process that is unknown in a rule, and why; nil if
// there is none that the rule is about.
func firstUnknown(s *scan.Snapshot, r *policy.RuleResult) (p *scan.Process, why string) {
	if p = s.Find(r.First[policy.Unknown]); p == nil {
		return nil, ""
	}
	if _, why = r.Rule.Match.About(s, p); why != "" {
		return p, "it is not known whether the rule is about it: " + why
	}
	outcome, _, why := r.Rule.Expect.Judge(s, p)
	if outcome != policy.Unknown {
		why = "it is not known whether the rule is about it, for its except, exempt or cmdline"
	}
	return p, why
}

// unknowns writes for each rule of which something could not be told what that is.
func unknowns(w io.Writer, s *scan.Snapshot, rules []*policy.RuleResult, ascii bool) (written bool, err error) {
	t := newTable(w)
	t.row("RULE", "UNKNOWN", "PID", "COMM", "WHY")
	for _, rule := range rules {
		n := rule.Processes[policy.Unknown]
		pid, comm := "-", "-"
		p, why := firstUnknown(s, rule)
		switch {
		case p != nil:
			pid, comm = fmt.Sprint(p.PID), view.Escape(p.Comm.String(), maxCell, ascii)
		case n > 0:
			why = "it is not known of these whether the rule is about them"
		case rule.CountUnknown:
			why = "it is not known whether there are too few processes"
		default:
			continue
		}
		t.row(rule.Rule.Name, fmt.Sprint(n), pid, comm, printable(why, ascii))
	}
	if t.rows == 1 {
		return false, nil
	}
	return true, t.end()
}
