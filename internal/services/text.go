// SPDX-License-Identifier: Apache-2.0

package services

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// wideColumns has room for all rights and for every name of a workload.
const wideColumns = 1000

// Text writes a row for each service, in their order:
//
//	WORKLOAD        STATE        PROCESSES  DEPTH  RESTRICTS  AGE  RULES
//	media.service   partial      1/2        0-1    RW---      3d   violating: media
//
// PROCESSES are the sandboxed ones of all, or all if they are in one state. Each asset that was
// asked for has a column, with its name. wide adds how many processes are in which state, and
// names the rights that are restricted.
func Text(w io.Writer, s *scan.Snapshot, all []Service, style table.Style, wide bool) error {
	letters := facts.Letters(s.Kernel.Rights)
	t := table.Table{Style: style, Titles: []string{
		"WORKLOAD", "STATE", "PROCESSES", "DEPTH", "RESTRICTS", "AGE", "RULES"}}
	if len(all) > 0 {
		for _, r := range all[0].Reach {
			t.Titles = append(t.Titles, strings.ToUpper(untrusted.Escape(s.Assets[r.Asset].Name, 63, true)))
		}
	}
	if wide {
		t.Style.Width = wideColumns
		t.Titles = append(t.Titles, "DOMAINS", "PROCESSES BY STATE", "RESTRICTED RIGHTS")
	}
	for i := range all {
		v := &all[i]
		restricts, age := "-", "?"
		if v.Sandboxed {
			restricts = letters(v.Restricts)
		} else if v.State() == scan.Unknown {
			restricts = "?"
		}
		if d, known := v.Age(s); known {
			age = ageText(d)
		}
		text, worst := v.rulesText()
		rules := t.Words(text)
		rules.Color = table.ByState(worst)
		row := []table.Cell{t.Name(v.Name), table.State(facts.StateWord(v.State(), v.Ineffective)),
			table.Text(v.processesText()), table.Text(v.depthText()), table.Text(restricts),
			table.Text(age), rules}
		for k := range v.Reach {
			row = append(row, v.Reach[k].cell())
		}
		if wide {
			row = append(row, table.Number(v.Domains), table.Text(statesText(v.Processes)),
				table.Text(v.rightsText()))
		}
		t.Row(row...)
	}
	return t.Write(w)
}

func (s *Service) processesText() string {
	if n := s.Processes; s.State() == scan.Partial || n[scan.Unknown] > 0 && n[scan.Sandboxed] > 0 {
		return fmt.Sprintf("%d/%d", n[scan.Sandboxed], n.Total())
	}
	return fmt.Sprint(s.Processes.Total())
}

func (s *Service) depthText() string {
	known := s.Processes.Known() > 0
	switch {
	case !known:
		return "?"
	case s.Exact && s.Depth == s.MaxDepth:
		return fmt.Sprint(s.Depth)
	case s.Exact:
		return fmt.Sprintf("%d-%d", s.Depth, s.MaxDepth)
	case s.State() == scan.Partial:
		return fmt.Sprintf("0->=%d", s.MaxDepth)
	default:
		return fmt.Sprintf(">=%d", s.Depth)
	}
}

// rulesText is the worst result of rules, and which rules have it if it is not the best.
func (s *Service) rulesText() (text, result string) {
	var names [policy.NumResults][]string
	for i := range s.Rules {
		r := s.Rules[i].Result()
		names[r] = append(names[r], s.Rules[i].Rule.Name)
	}
	for _, worst := range [...]policy.Result{policy.Violating, policy.Unknown, policy.Waived, policy.Starting} {
		if len(names[worst]) > 0 {
			result = worst.String()
			return result + ": " + plural.First(names[worst], 2), result
		}
	}
	if n := len(names[policy.Compliant]); n > 0 {
		return fmt.Sprintf("%d %s", n, policy.Compliant), ""
	}
	return "-", ""
}

func (s *Service) rightsText() string {
	if names := access.Names(s.Restricts.Sure); s.Sandboxed && len(names) > 0 {
		return strings.Join(names, ",")
	}
	return "-"
}

// statesText lists the states that occur, such as "3 unsandboxed, 1 unknown".
func statesText(n scan.ByState) string {
	var parts []string
	for _, state := range scan.States() {
		if n.Of(state) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.Of(state), state))
		}
	}
	return strings.Join(parts, ", ")
}

// ageText is a time in its largest unit, rounded down.
func ageText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh", d/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}
