// SPDX-License-Identifier: Apache-2.0

package services

import (
	"io"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what JSON writes: docs/schema/services-v1.json.
const Schema = "landlockd/services/v1"

type serviceJSON struct {
	Workload    untrusted.Text `json:"workload"`
	State       scan.State     `json:"state"`
	Ineffective access.Answer  `json:"ineffective"`
	Processes   any            `json:"processes"`
	// Depth and MaxDepth are nil if no state is known.
	Depth      *uint16 `json:"depth"`
	MaxDepth   *uint16 `json:"max_depth"`
	DepthExact bool    `json:"depth_exact"`
	Domains    int     `json:"domains"`
	// Restricted and RestrictedUnknown are those of a process.
	Restricted        any        `json:"restricted"`
	RestrictedUnknown any        `json:"restricted_unknown"`
	Since             *string    `json:"since"`
	Rules             []ruleJSON `json:"rules"`
	// Assets are those that were asked for.
	Assets []assetJSON `json:"assets"`
}

type assetJSON struct {
	Asset     untrusted.Text `json:"asset"`
	Reach     domainid.Reach `json:"reach"`
	ByKernel  bool           `json:"by_kernel"`
	Processes map[string]int `json:"processes"`
}

type ruleJSON struct {
	Rule      string         `json:"rule"`
	Severity  string         `json:"severity"`
	Result    policy.Result  `json:"result"`
	Processes map[string]int `json:"processes"`
}

func newServiceJSON(s *scan.Snapshot, v *Service) *serviceJSON {
	j := &serviceJSON{
		Workload: untrusted.Text(v.Name), State: v.State(), Ineffective: v.Ineffective,
		Processes: recorded.States(v.Processes), DepthExact: v.Exact, Domains: v.Domains,
		Rules: []ruleJSON{}, Assets: []assetJSON{},
	}
	if v.Processes.Known() > 0 {
		j.Depth, j.MaxDepth = &v.Depth, &v.MaxDepth
	}
	if v.Sandboxed {
		j.Restricted = recorded.Rights(v.Restricts.Sure)
		unknown := v.Restricts.Unknown().Intersect(s.Kernel.Rights.May)
		if !unknown.Empty() {
			j.RestrictedUnknown = recorded.Rights(unknown)
		}
	}
	if age, known := v.Age(s); known {
		j.Since = new(timeText(s.Time.Add(-age)))
	}
	for i := range v.Rules {
		r := &v.Rules[i]
		rule := ruleJSON{r.Rule.Name, r.Rule.Severity, r.Result(), map[string]int{}}
		for _, result := range policy.Results() {
			rule.Processes[result.String()] = r.Processes[result]
		}
		j.Rules = append(j.Rules, rule)
	}
	for i := range v.Reach {
		r := &v.Reach[i]
		asset := assetJSON{untrusted.Text(s.Assets[r.Asset].Name), r.Reach, r.ByKernel, map[string]int{}}
		for reach := domainid.OutOfReach; reach <= domainid.WithinReach; reach++ {
			asset.Processes[reach.String()] = r.Processes[reach]
		}
		j.Assets = append(j.Assets, asset)
	}
	return j
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// JSON writes services, in their order, as one JSON object and a newline. origin is where the
// snapshot is from.
func JSON(w io.Writer, s *scan.Snapshot, all []Service, origin string) error {
	j := struct {
		Schema   string         `json:"schema"`
		Time     string         `json:"time"`
		Origin   string         `json:"origin"`
		Services []*serviceJSON `json:"services"`
	}{Schema, timeText(s.Time), origin, make([]*serviceJSON, len(all))}
	for i := range all {
		j.Services[i] = newServiceJSON(s, &all[i])
	}
	enc := untrusted.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

// JSONLines writes an object for each service on a line of its own.
func JSONLines(w io.Writer, s *scan.Snapshot, all []Service) error {
	enc := untrusted.NewEncoder(w)
	for i := range all {
		if err := enc.Encode(newServiceJSON(s, &all[i])); err != nil {
			return err
		}
	}
	return nil
}
