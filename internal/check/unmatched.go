// SPDX-License-Identifier: Apache-2.0

package check

import (
	"io"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
)

// unmatchedJSON is a rule that is about no process.
type unmatchedJSON struct {
	Name     string        `json:"name"`
	Severity string        `json:"severity"`
	Applies  access.Answer `json:"applies"`
}

func unmatchedOf(r *policy.Evaluation) []unmatchedJSON {
	all := make([]unmatchedJSON, len(r.Unmatched))
	for i, u := range r.Unmatched {
		all[i] = unmatchedJSON{u.Rule.Name, u.Rule.Severity, u.Applies}
	}
	return all
}

// ofUnmatched is what rules that are about no process come to, where each must be
// about one.
func ofUnmatched(rules []policy.Unmatched) Answer {
	answer := Compliant
	for i := range rules {
		if rules[i].Applies == access.No {
			return Violated
		}
		answer = Undecided
	}
	return answer
}

// unmatched writes the rules that are about no process.
func unmatched(w io.Writer, rules []policy.Unmatched, ascii bool) *table {
	t := newTable(w, "RULE", "APPLIES", "SEVERITY", "FILE")
	for i := range rules {
		r := rules[i].Rule
		t.row(r.Name, rules[i].Applies.String(), r.Severity, place(r, ascii))
	}
	return t
}
