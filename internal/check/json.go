// SPDX-License-Identifier: Apache-2.0

package check

import (
	"io"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what JSON writes: docs/schema/check-v1.json. Members may be added.
const Schema = "landlockd/check/v1"

type answerJSON struct {
	Schema  string     `json:"schema"`
	Answer  Answer     `json:"answer"`
	Time    string     `json:"time"`
	Origin  string     `json:"origin"`
	Loaded  int        `json:"rules_loaded"`
	Applied int        `json:"rules_applied"`
	Rules   []RuleJSON `json:"rules"`
	// Undecided are the processes of which it is not known whether rules are about
	// them. They change no rule's result, and the answer only if matches are required.
	Undecided []undecidedJSON `json:"undecided"`
	// Unmatched are the rules that are not among Rules.
	Unmatched []unmatchedJSON `json:"unmatched"`
}

// RuleJSON is the result of one rule, as a JSON object.
type RuleJSON struct {
	Name       string          `json:"name"`
	Severity   string          `json:"severity"`
	Result     string          `json:"result"`
	Violated   bool            `json:"violated"`
	Processes  map[string]int  `json:"processes"`
	Violations []violationJSON `json:"violations"`
	// Accepts are the waivers in force, the first to end first.
	Accepts []acceptJSON `json:"accepts,omitempty"`
	// MissingWaived is how many processes are missing, if that is accepted.
	MissingWaived int          `json:"missing_waived,omitempty"`
	Unknown       *unknownJSON `json:"unknown,omitempty"`
}

type violationJSON struct {
	Reason    policy.Reason   `json:"reason"`
	Workload  *untrusted.Text `json:"workload,omitempty"`
	Processes int             `json:"processes"`
	PIDs      []int32         `json:"pids,omitempty"`
	Examples  []exampleJSON   `json:"examples,omitempty"`
}

// acceptJSON is a waiver: Until is the day from which it is in force no more.
type acceptJSON struct {
	Until  string         `json:"until"`
	Reason untrusted.Text `json:"reason"`
}

// unmatchedJSON is a rule that is about no process.
type unmatchedJSON struct {
	Name     string        `json:"name"`
	Severity string        `json:"severity"`
	Applies  access.Answer `json:"applies"`
}

type exampleJSON struct {
	// Since is when the process began to lack what the rule expects: null if that
	// is not known.
	Since   *string `json:"since"`
	Process any     `json:"process"`
}

// JSON writes the results of rules for a snapshot as one JSON object and a newline.
// For requireMatches see [Of]; origin is whose snapshot it is, "daemon", "scan" or "file".
func JSON(
	w io.Writer, s *scan.Snapshot, r *policy.Evaluation, requireMatches bool, origin string,
) error {
	a := answerJSON{
		Schema: Schema, Answer: Of(r, requireMatches), Time: timeText(s.Time), Origin: origin,
		Loaded: r.Loaded, Applied: r.Applied, Rules: Rules(r, true),
		Undecided: undecided(s, r), Unmatched: unmatchedOf(r),
	}
	process := recorded.Processes(s)
	for i := range a.Rules {
		if p, why := firstUnknown(s, &r.Rules[i]); p != nil {
			a.Rules[i].Unknown = &unknownJSON{why, process(p)}
		}
		expect := &r.Rules[i].Rule.Expect
		for k := range a.Rules[i].Violations {
			v := &a.Rules[i].Violations[k]
			for _, pid := range v.PIDs {
				if p := s.Find(pid); p != nil {
					at := sinceJSON(since(s, p, expect, v.Reason))
					v.Examples = append(v.Examples, exampleJSON{at, process(p)})
				}
			}
		}
	}
	return write(w, a)
}

// Rules returns the results of rules, in their order. Without names it has only the
// numbers of workloads and processes.
func Rules(r *policy.Evaluation, names bool) []RuleJSON {
	all := make([]RuleJSON, 0, len(r.Rules))
	for i := range r.Rules {
		rule := &r.Rules[i]
		j := RuleJSON{
			Name: rule.Rule.Name, Severity: rule.Rule.Severity,
			Result: ofRule(rule), Violated: rule.Violated,
			Processes: map[string]int{}, Violations: []violationJSON{},
			MissingWaived: rule.MissingWaived,
		}
		for _, a := range rule.Accepts {
			if !names { // people write what they like into a reason
				break
			}
			j.Accepts = append(j.Accepts, acceptJSON{a.Day(), untrusted.Text(a.Reason)})
		}
		for _, o := range policy.Results() {
			j.Processes[o.String()] = rule.Processes[o]
		}
		for _, v := range rule.Violations {
			x := violationJSON{Reason: v.Reason, Processes: v.Processes}
			if names {
				x.Workload, x.PIDs = untrusted.OrNull(v.Workload), v.PIDs
			} else if n := len(j.Violations); n > 0 && j.Violations[n-1].Reason == v.Reason {
				j.Violations[n-1].Processes += v.Processes
				continue
			}
			j.Violations = append(j.Violations, x)
		}
		all = append(all, j)
	}
	return all
}

func unmatchedOf(r *policy.Evaluation) []unmatchedJSON {
	all := make([]unmatchedJSON, len(r.Unmatched))
	for i, u := range r.Unmatched {
		all[i] = unmatchedJSON{u.Rule.Name, u.Rule.Severity, u.Applies}
	}
	return all
}

func sinceJSON(at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	return new(timeText(at))
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func write(w io.Writer, v any) error {
	enc := untrusted.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
