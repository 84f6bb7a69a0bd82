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

// table writes rows of cells that are safe to print, in columns.
type table struct {
	w    *tabwriter.Writer
	rows int
}

func newTable(w io.Writer) *table { return &table{w: tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)} }

func (t *table) row(cells ...string) {
	_, _ = io.WriteString(t.w, strings.Join(cells, "\t")+"\n") // end returns what went wrong
	t.rows++
}

func (t *table) end() error { return t.w.Flush() }

// Text writes the results of rules for a snapshot: first the processes that violate
// them, and what is not known; then every rule, the worst first, and apart those
// that are about no process; and then all in a line.
func Text(w io.Writer, s *scan.Snapshot, r *policy.Evaluation, ascii bool) error {
	b := bufio.NewWriter(w)
	rules := ranked(r)
	if len(rules) > 0 && rules[0].Violated {
		if err := violations(b, s, rules, ascii); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	if written, err := unknowns(b, s, rules, ascii); err != nil {
		return err
	} else if written {
		b.WriteByte('\n')
	}
	if written, err := undecidedText(b, s, r, ascii); err != nil {
		return err
	} else if written {
		b.WriteByte('\n')
	}
	t := newTable(b)
	t.row("RULE", "RESULT", "SEVERITY", "VIOLATING", "COMPLIANT", "STARTING", "UNKNOWN", "FILE")
	for _, rule := range rules {
		n := &rule.Processes
		t.row(rule.Rule.Name, ofRule(rule), rule.Rule.Severity, fmt.Sprint(n[policy.Violating]), fmt.Sprint(n[policy.Compliant]),
			fmt.Sprint(n[policy.Starting]), fmt.Sprint(n[policy.Unknown]),
			fmt.Sprintf("%s:%d", untrusted.Escape(rule.Rule.File, 0, ascii), rule.Rule.Line))
	}
	if len(rules) > 0 {
		if err := t.end(); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	if len(r.Unmatched) > 0 {
		if err := unmatched(b, r.Unmatched, ascii); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	b.WriteString(summary(r) + ".\n")
	return b.Flush()
}

func violations(w io.Writer, s *scan.Snapshot, rules []*policy.RuleEvaluation, ascii bool) error {
	name := func(text string) string {
		if text == "" {
			return "-"
		}
		return untrusted.Escape(text, maxCell, ascii)
	}
	t := newTable(w)
	t.row("RULE", "REASON", "PID", "SINCE", "COMM", "WORKLOAD", "EXE")
	for _, rule := range rules {
		for _, v := range rule.Violations {
			for _, pid := range v.PIDs {
				if p := s.Find(pid); p != nil {
					t.row(rule.Rule.Name, v.Reason.String(), fmt.Sprint(pid),
						localTime(since(s, p, &rule.Rule.Expect, v.Reason)), name(p.Comm.String()), name(workloadOf(s, p)), name(p.Exe))
				}
			}
			more, text := v.Processes-len(v.PIDs), "and %d more"
			if v.Reason == policy.TooFew {
				text = "%d missing"
			}
			if more > 0 {
				t.row(rule.Rule.Name, v.Reason.String(), "-", "-", fmt.Sprintf(text, more), name(v.Workload), "-")
			}
		}
		if rule.Violated && len(rule.Violations) == 0 {
			t.row(rule.Rule.Name, "-", "-", "-", "too many to show", "-", "-")
		}
	}
	return t.end()
}
