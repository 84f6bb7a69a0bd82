// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/null"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// rules writes the rules of the configuration: those about the process, or perhaps about it,
// with what they say, and then why the others are not.
func (t *textWriter) rules() {
	var about, others []*policy.Explanation
	for i := range t.e.Rules {
		if x := &t.e.Rules[i]; x.Applies == access.No {
			others = append(others, x)
		} else {
			about = append(about, x)
		}
	}
	t.rulesOf("Rules about it", about)
	t.rulesOf("Rules that are not about it", others)
}

func (t *textWriter) rulesOf(title string, all []*policy.Explanation) {
	if len(all) == 0 {
		return
	}
	t.line("\n%s:", title)
	t.first(maxRules, len(all), "  %d more: -o json has them", func(i int) {
		x := all[i]
		var said []string
		switch x.Applies {
		case access.Yes:
			said = append(said, strings.ReplaceAll(x.Result.String(), "_", " "))
		case access.Unknown:
			said = append(said, "it is not known whether it is about it")
		}
		if x.Why != "" {
			said = append(said, plain(x.Why))
		}
		where := ""
		if x.Rule.File != "" {
			where = fmt.Sprintf(" [%s:%d]", t.escape(x.Rule.File), x.Rule.Line)
		}
		t.line("  - %s (%s): %s%s", x.Rule.Name, x.Rule.Severity, strings.Join(said, "; "), where)
	})
}

type ruleJSON struct {
	Name     string        `json:"name"`
	Severity string        `json:"severity"`
	Applies  access.Answer `json:"applies"`
	// Result and Reason are null of a rule that is not about it.
	Result *policy.Result  `json:"result"`
	Reason *policy.Reason  `json:"reason"`
	Why    *string         `json:"why"`
	File   *untrusted.Text `json:"file"`
	Line   int             `json:"line"`
}

func (e *Explanation) rulesJSON() []ruleJSON {
	all := make([]ruleJSON, len(e.Rules))
	for i := range e.Rules {
		x := &e.Rules[i]
		all[i] = ruleJSON{
			Name: x.Rule.Name, Severity: x.Rule.Severity, Applies: x.Applies,
			Why: null.Unless(x.Why, ""), File: untrusted.OrNull(x.Rule.File), Line: x.Rule.Line,
		}
		if x.Applies != access.No {
			all[i].Result, all[i].Reason = &x.Result, null.Unless(x.Reason, policy.NoReason)
		}
	}
	return all
}
