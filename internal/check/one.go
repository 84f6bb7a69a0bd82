// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bufio"
	"cmp"
	"fmt"
	"io"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/null"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// One is the result of one expectation for one process.
type One struct {
	Snapshot *scan.Snapshot
	Process  *scan.Process
	Result   policy.Result
	Reason   policy.Reason
	// Why is what is missing or not known, in words.
	Why string
}

// Answer returns what it comes to.
func (o *One) Answer() Answer { return ofResult(o.Result) }

// Text writes it on one line.
func (o *One) Text(ascii bool) string {
	text := o.Result.String() + ": " + describe(o.Snapshot, o.Process, ascii)
	if o.Why != "" {
		text += "; " + untrusted.EscapeWords(o.Why, 0, ascii)
	}
	return text
}

// JSON writes it as one JSON object and a newline.
func (o *One) JSON(w io.Writer) error {
	return write(w, struct {
		Schema  string         `json:"schema"`
		Answer  Answer         `json:"answer"`
		Time    string         `json:"time"`
		Result  policy.Result  `json:"result"`
		Reason  *policy.Reason `json:"reason"`
		Why     *string        `json:"why"`
		Process any            `json:"process"`
	}{
		Schema, o.Answer(), timeText(o.Snapshot.Time), o.Result,
		null.Unless(o.Reason, policy.NoReason), null.Unless(o.Why, ""),
		recorded.Processes(o.Snapshot)(o.Process),
	})
}

// Explained is what every rule has to do with one process.
type Explained struct {
	Snapshot *scan.Snapshot
	Process  *scan.Process
	Rules    []policy.Explanation
}

// Answer returns what the rules that apply come to.
func (e *Explained) Answer() Answer {
	answer := Compliant
	for i := range e.Rules {
		switch of := ofResult(e.Rules[i].Result); {
		case e.Rules[i].Applies == access.No:
		case of == Violated:
			return Violated
		case of == Undecided:
			answer = Undecided
		}
	}
	return answer
}

// Text writes the rules that apply first, and then why the others do not.
func (e *Explained) Text(w io.Writer, ascii bool) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s.\n", describe(e.Snapshot, e.Process, ascii))
	fmt.Fprintf(b, "Its executable is %s, its workload %s.\n\n", named(e.Process.Exe, ascii),
		named(workloadOf(e.Snapshot, e.Process), ascii))
	t := rows{{"RULE", "APPLIES", "RESULT", "WHY", "FILE"}}
	for _, applies := range []bool{true, false} {
		for i := range e.Rules {
			x := &e.Rules[i]
			if (x.Applies != access.No) != applies {
				continue
			}
			result := x.Result.String()
			if x.Applies == access.No {
				result = "-"
			}
			t.row(x.Rule.Name, x.Applies.String(), result,
				untrusted.EscapeWords(cmp.Or(x.Why, "-"), 0, ascii), place(x.Rule, ascii))
		}
	}
	if t.empty() {
		b.WriteString("There are no rules.\n")
	} else if err := t.write(b); err != nil {
		return err
	}
	return b.Flush()
}

func named(text string, ascii bool) string {
	return untrusted.Escape(cmp.Or(text, "not known"), 0, ascii)
}

// JSON writes it as one JSON object and a newline.
func (e *Explained) JSON(w io.Writer) error {
	type ruleJSON struct {
		Name    string         `json:"name"`
		Applies access.Answer  `json:"applies"`
		Result  *policy.Result `json:"result"`
		Reason  *policy.Reason `json:"reason"`
		Why     *string        `json:"why"`
	}
	rules := make([]ruleJSON, len(e.Rules))
	for i := range e.Rules {
		x := &e.Rules[i]
		rules[i] = ruleJSON{Name: x.Rule.Name, Applies: x.Applies, Why: null.Unless(x.Why, "")}
		if x.Applies != access.No {
			rules[i].Result, rules[i].Reason = &x.Result, null.Unless(x.Reason, policy.NoReason)
		}
	}
	return write(w, struct {
		Schema  string     `json:"schema"`
		Answer  Answer     `json:"answer"`
		Time    string     `json:"time"`
		Process any        `json:"process"`
		Rules   []ruleJSON `json:"rules"`
	}{Schema, e.Answer(), timeText(e.Snapshot.Time), recorded.Processes(e.Snapshot)(e.Process), rules})
}
