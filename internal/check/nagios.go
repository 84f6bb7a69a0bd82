// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"io"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
)

// Status is what a plugin reports to Nagios, by its exit code.
type Status int

const (
	OK Status = iota
	Warning
	Critical
	Unknown
)

func (s Status) String() string { return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s&3] }

// maxNamed is how many rules Nagios' one line names.
const maxNamed = 5

// Nagios writes the one line that a plugin writes, with performance data, and
// returns the status. A violated rule of severity critical is Critical, one of
// another Warning; without any, what is not known is Unknown. For requireMatches
// see [Of]. No text of others is in it: only names of rules, which are plain.
func Nagios(w io.Writer, r *policy.Evaluation, requireMatches bool) (Status, error) {
	status := OK
	var named []string
	name := func(rule *policy.Rule, violated bool, why string) {
		switch {
		case violated && rule.Severity == "critical":
			status = Critical
		case violated && status != Critical:
			status = Warning
		case status == OK:
			status = Unknown
		}
		named = append(named, rule.Name+" ("+why+")")
	}
	var processes [policy.NumResults]int
	waived := 0
	for _, rule := range ranked(r) {
		for o, n := range rule.Processes {
			processes[o] += n
		}
		if rule.Violated || ofRule(rule) == Undecided.String() {
			name(rule.Rule, rule.Violated, why(rule))
		}
		if rule.Waived() && !rule.Violated && waived < maxNamed {
			waived++
			named = append(named, fmt.Sprintf("%s (waived until %s)", rule.Rule.Name, rule.Accepts[0].Day()))
		}
	}
	if requireMatches {
		for _, u := range r.Unmatched {
			if u.Applies == access.No {
				name(u.Rule, true, "about no process")
			} else {
				name(u.Rule, false, "unknown")
			}
		}
	}
	text := summary(r)
	if len(named) > maxNamed {
		named = append(named[:maxNamed], fmt.Sprintf("and %d more", len(named)-maxNamed))
	}
	if len(named) > 0 {
		text += ": " + strings.Join(named, ", ")
	}
	data := fmt.Sprintf("rules=%d;;;0 applied=%d;;;0", r.Loaded, r.Applied)
	for _, o := range policy.Results() {
		data += fmt.Sprintf(" %s=%d;;;0", o, processes[o])
	}
	_, err := fmt.Fprintf(w, "LANDLOCK %s - %s | %s\n", status, text, data)
	return status, err
}

func why(rule *policy.RuleEvaluation) string {
	switch {
	case !rule.Violated:
		return "unknown"
	case len(rule.Violations) > 0:
		return rule.Violations[0].Reason.String()
	default:
		return plural.Count(rule.Processes[policy.Violating], "process")
	}
}

// NagiosLine writes a line without performance data.
func NagiosLine(w io.Writer, status Status, text string) error {
	// What stands behind a bar is performance data.
	_, err := fmt.Fprintf(w, "LANDLOCK %s - %s\n", status, strings.ReplaceAll(text, "|", "/"))
	return err
}
