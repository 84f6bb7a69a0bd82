// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bufio"
	"cmp"
	"fmt"
	"io"

	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

const maxCell = 60 // columns of a name in a table

// rows are rows of cells that are safe to print, the header first.
type rows [][]string

func (t *rows) row(cells ...string) { *t = append(*t, cells) }

// empty reports whether there are no rows but the header.
func (t rows) empty() bool { return len(t) == 1 }

// write writes the rows in columns.
func (t rows) write(w io.Writer) error {
	out := table.Table{Titles: t[0]}
	for _, texts := range t[1:] {
		cells := make([]table.Cell, len(texts))
		for i, text := range texts {
			cells[i] = table.Text(text)
		}
		out.Row(cells...)
	}
	return out.Write(w)
}

// place returns where a rule stands.
func place(r *policy.Rule, ascii bool) string {
	return fmt.Sprintf("%s:%d", untrusted.Escape(r.File, 0, ascii), r.Line)
}

// Text writes the results of rules for a snapshot: first the processes that violate
// them, and what is not known; then every rule, the worst first, and apart those
// that are about no process; and then all in a line.
func Text(w io.Writer, s *scan.Snapshot, r *policy.Evaluation, ascii bool) error {
	b := bufio.NewWriter(w)
	rules := ranked(r)
	for _, t := range [...]rows{
		violations(s, rules, ascii), unknowns(s, rules, ascii), undecidedText(s, r, ascii),
		waivers(s, rules, ascii), results(rules, ascii), unmatched(r.Unmatched, ascii),
	} {
		if t.empty() {
			continue
		}
		if err := t.write(b); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	b.WriteString(summary(r) + ".\n")
	return b.Flush()
}

func results(rules []*policy.RuleEvaluation, ascii bool) rows {
	t := rows{
		{"RULE", "RESULT", "SEVERITY", "VIOLATING", "COMPLIANT", "STARTING", "UNKNOWN", "FILE"},
	}
	for _, rule := range rules {
		n := &rule.Processes
		t.row(rule.Rule.Name, ofRule(rule), rule.Rule.Severity,
			fmt.Sprint(n[policy.Violating]), fmt.Sprint(n[policy.Compliant]),
			fmt.Sprint(n[policy.Starting]), fmt.Sprint(n[policy.Unknown]), place(rule.Rule, ascii))
	}
	return t
}

// waivers writes what rules accept, for how long and why, whether it occurs or not.
func waivers(s *scan.Snapshot, rules []*policy.RuleEvaluation, ascii bool) rows {
	t := rows{{"RULE", "WAIVED", "UNTIL", "REASON"}}
	for _, rule := range rules {
		n := rule.Processes[policy.Waived]
		waived := plural.Count(n, "process")
		if p := s.Find(rule.First[policy.Waived]); p != nil && n > 1 {
			waived += fmt.Sprintf(" (PID %d, ...)", p.PID)
		} else if p != nil {
			waived += fmt.Sprintf(" (PID %d)", p.PID)
		}
		switch missing := fmt.Sprintf("%d missing", rule.MissingWaived); {
		case rule.MissingWaived == 0:
		case n == 0:
			waived = missing
		default:
			waived += ", " + missing
		}
		for _, a := range rule.Accepts {
			t.row(rule.Rule.Name, waived, a.Day(), untrusted.EscapeWords(a.Reason, 0, ascii))
		}
	}
	return t
}

func violations(s *scan.Snapshot, rules []*policy.RuleEvaluation, ascii bool) rows {
	name := func(text string) string { return untrusted.Escape(cmp.Or(text, "-"), maxCell, ascii) }
	t := rows{{"RULE", "REASON", "PID", "SINCE", "COMM", "WORKLOAD", "EXE"}}
	for _, rule := range rules {
		for _, v := range rule.Violations {
			for _, pid := range v.PIDs {
				if p := s.Find(pid); p != nil {
					t.row(rule.Rule.Name, v.Reason.String(), fmt.Sprint(pid),
						localTime(since(s, p, &rule.Rule.Expect, v.Reason)),
						name(p.Comm.String()), name(workloadOf(s, p)), name(p.Exe))
				}
			}
			more, text := v.Processes-len(v.PIDs), "and %d more"
			if v.Reason == policy.TooFew {
				text = "%d missing"
			}
			if more > 0 {
				t.row(rule.Rule.Name, v.Reason.String(), "-", "-", fmt.Sprintf(text, more),
					name(v.Workload), "-")
			}
		}
		if rule.Violated && len(rule.Violations) == 0 {
			t.row(rule.Rule.Name, "-", "-", "-", "too many to show", "-", "-")
		}
	}
	return t
}

// unmatched writes the rules that are about no process.
func unmatched(rules []policy.Unmatched, ascii bool) rows {
	t := rows{{"RULE", "APPLIES", "SEVERITY", "FILE"}}
	for _, u := range rules {
		t.row(u.Rule.Name, u.Applies.String(), u.Rule.Severity, place(u.Rule, ascii))
	}
	return t
}
