// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// unknownJSON is the first of a rule's processes that are unknown.
type unknownJSON struct {
	Why     string `json:"why"`
	Process any    `json:"process"`
}

// firstUnknown returns the first process that is unknown in a rule, and why; nil if
// there is none that the rule is about.
func firstUnknown(s *scan.Snapshot, r *policy.RuleEvaluation) (p *scan.Process, why string) {
	if p = s.Find(r.First[policy.Unknown]); p == nil {
		return nil, ""
	}
	if _, why = r.Rule.Match.About(s, p); why != "" {
		return p, "it is not known whether the rule is about it: " + why
	}
	result, _, why := r.Rule.Expect.Judge(s, p)
	if result != policy.Unknown {
		why = "it is not known whether the rule is about it, for its except, exempt or cmdline"
	}
	return p, why
}

// undecidedJSON is the processes of which it is not known whether rules are about them.
type undecidedJSON struct {
	Reason    policy.Doubt  `json:"reason"`
	Processes int           `json:"processes"`
	Examples  []unknownJSON `json:"examples"`
}

func undecided(s *scan.Snapshot, r *policy.Evaluation) []undecidedJSON {
	list := make([]undecidedJSON, 0, len(r.Undecided))
	process := recorded.Processes(s)
	for _, u := range r.Undecided {
		j := undecidedJSON{Reason: u.Doubt, Processes: u.Processes}
		for _, pid := range u.PIDs {
			if p := s.Find(pid); p != nil {
				j.Examples = append(j.Examples, unknownJSON{u.Doubt.Words(), process(p)})
			}
		}
		list = append(list, j)
	}
	return list
}

// undecidedText writes the processes of which it is not known whether rules are about
// them.
func undecidedText(s *scan.Snapshot, r *policy.Evaluation, ascii bool) rows {
	t := rows{{"UNDECIDED", "PID", "COMM", "WHY"}}
	for _, u := range r.Undecided {
		for _, pid := range u.PIDs {
			if p := s.Find(pid); p != nil {
				t.row(u.Doubt.String(), fmt.Sprint(pid),
					untrusted.Escape(p.Comm.String(), maxCell, ascii), u.Doubt.Words())
			}
		}
		if more := u.Processes - len(u.PIDs); more > 0 {
			t.row(u.Doubt.String(), "-", fmt.Sprintf("and %d more", more), u.Doubt.Words())
		}
	}
	return t
}

// unknowns writes for each rule what is not known, if anything.
func unknowns(s *scan.Snapshot, rules []*policy.RuleEvaluation, ascii bool) rows {
	t := rows{{"RULE", "UNKNOWN", "PID", "COMM", "WHY"}}
	for _, rule := range rules {
		n := rule.Processes[policy.Unknown]
		pid, comm := "-", "-"
		p, why := firstUnknown(s, rule)
		switch {
		case p != nil:
			pid, comm = fmt.Sprint(p.PID), untrusted.Escape(p.Comm.String(), maxCell, ascii)
		case rule.CountUnknown:
			why = "it is not known whether there are too few processes"
		default:
			continue
		}
		t.row(rule.Rule.Name, fmt.Sprint(n), pid, comm, untrusted.EscapeWords(why, 0, ascii))
	}
	return t
}
