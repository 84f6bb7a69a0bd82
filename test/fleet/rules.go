// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"slices"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// unit returns the host's unit of a name, or nil.
func (h *Host) unit(name string) *Unit {
	for i := range h.Units {
		if h.Units[i].Name == name {
			return &h.Units[i]
		}
	}
	return nil
}

func hasRule(workload string) bool {
	return slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Workload == workload })
}

// result returns what the rules say of the host.
func (h *Host) result() *policy.Result {
	r := &policy.Result{Loaded: len(Rules())}
	for _, rule := range Rules() {
		u := h.unit(rule.Workload)
		if u == nil {
			continue
		}
		r.Applied++
		r.Rules = append(r.Rules, h.judge(rule, u))
	}
	return r
}

func (h *Host) judge(rule Rule, u *Unit) policy.RuleResult {
	out := policy.RuleResult{Rule: &policy.Rule{Name: rule.Name, Severity: rule.Severity}, Applied: true}
	out.Processes[policy.Compliant] = u.Processes[scan.Sandboxed]
	wrong := policy.Violating
	if h.Young {
		wrong = policy.Starting
	}
	out.Processes[wrong] = u.Processes[scan.Unsandboxed] + u.Processes[scan.Partial]
	out.Processes[policy.Unknown] = u.Processes[scan.Unknown]
	out.Violated = out.Processes[policy.Violating] > 0
	add := func(reason policy.Reason, n int) {
		if n > 0 {
			out.Violations = append(out.Violations, policy.Violation{Reason: reason, Workload: u.Name, Processes: n})
		}
	}
	if h.Young {
		return out
	}
	if h.Kind == Disabled {
		add(policy.LandlockDisabled, out.Processes[policy.Violating])
		return out
	}
	add(policy.Unsandboxed, u.Processes[scan.Unsandboxed])
	add(policy.Partial, u.Processes[scan.Partial])
	return out
}
