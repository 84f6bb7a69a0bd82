// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

const maxCell = 60 // columns of a name in a table

// table writes rows of cells that are safe to print, in columns, at its end; without rows
// nothing.
type table struct {
	w      *tabwriter.Writer
	header []string
	rows   int
}

func newTable(w io.Writer, header ...string) *table {
	return &table{w: tabwriter.NewWriter(w, 0, 8, 2, ' ', 0), header: header}
}

func (t *table) row(cells ...string) {
	if t.rows++; t.rows == 1 {
		t.write(t.header)
	}
	t.write(cells)
}

func (t *table) write(cells []string) {
	_, _ = io.WriteString(t.w, strings.Join(cells, "\t")+"\n") // end returns what went wrong
}

func (t *table) end() error { return t.w.Flush() }

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
	for _, t := range [...]*table{
		violations(b, s, rules, ascii), unknowns(b, s, rules, ascii), undecidedText(b, s, r, ascii),
		results(b, rules, ascii), unmatched(b, r.Unmatched, ascii),
	} {
		if err := t.end(); err != nil {
			return err
		}
		if t.rows > 0 {
			b.WriteByte('\n')
		}
	}
	b.WriteString(summary(r) + ".\n")
	return b.Flush()
}

func results(w io.Writer, rules []*policy.RuleEvaluation, ascii bool) *table {
	t := newTable(w, "RULE", "RESULT", "SEVERITY", "VIOLATING", "COMPLIANT", "STARTING", "UNKNOWN",
		"FILE")
	for _, rule := range rules {
		n := &rule.Processes
		t.row(rule.Rule.Name, ofRule(rule), rule.Rule.Severity,
			fmt.Sprint(n[policy.Violating]), fmt.Sprint(n[policy.Compliant]),
			fmt.Sprint(n[policy.Starting]), fmt.Sprint(n[policy.Unknown]), place(rule.Rule, ascii))
	}
	return t
}

func violations(w io.Writer, s *scan.Snapshot, rules []*policy.RuleEvaluation, ascii bool) *table {
	name := func(text string) string {
		if text == "" {
			return "-"
		}
		return untrusted.Escape(text, maxCell, ascii)
	}
	t := newTable(w, "RULE", "REASON", "PID", "SINCE", "COMM", "WORKLOAD", "EXE")
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
