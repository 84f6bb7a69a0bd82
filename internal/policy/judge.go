// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// Judge reports whether a process of a snapshot is as expected, whatever its age,
// and in words what is missing or not known; no words if it is compliant.
func (x *Expect) Judge(s *scan.Snapshot, p *scan.Process) (Result, Reason, string) {
	c, d := conditionOf(s, p), x.demandOn(limitsOf(s), s.Assets)
	result, reason := x.judge(&c, &d)
	words := x.words(result, reason, &c, &d)
	switch {
	case reason == LandlockDisabled && s.Kernel.Landlock == scan.Disabled:
		words = "this kernel cannot sandbox anything: Landlock is built but was not enabled at boot"
	case reason == LandlockDisabled:
		words = "this kernel cannot sandbox anything: Landlock is not built into it"
	case result == Unknown && p.State == scan.Unknown:
		words = strings.TrimSpace("its state is unknown: " + p.Reason.String())
	}
	return result, reason, words
}

// judge reports whether a condition is as expected, whatever the process's age,
// and for which reason it is not. What is certain to violate does so, whatever else is
// unknown.
func (x *Expect) judge(c *condition, d *demand) (Result, Reason) {
	switch {
	case x.Free && (d.disabled || x.Allows(c.state)): // without Landlock all are free
		return Compliant, NoReason
	case d.disabled:
		return Violating, LandlockDisabled
	case c.state == scan.Unknown:
		return Unknown, NoReason
	case x.Free:
		return Violating, Sandboxed
	case c.state == scan.Unsandboxed:
		return Violating, Unsandboxed
	case !x.Allows(c.state):
		return Violating, Partial
	case !c.listed:
		return Unknown, NoReason
	}
	result := Compliant
	for i := range requirements {
		switch r := &requirements[i]; r.met(x, c, d) {
		case access.No:
			return Violating, r.reason
		case access.Unknown:
			result = Unknown
		}
	}
	return result, NoReason
}

// Lasting reports whether a process that is not as expected for a reason was never as
// expected since it began: no task leaves a domain, and every task comes from one that was
// no deeper. A process can come into a domain, or a deeper one, at any time. What rules
// come to can change, and so can which workers are outside; and where free tasks are
// allowed, which tasks count.
func (x *Expect) Lasting(r Reason) bool {
	return r == LandlockDisabled ||
		!x.Partial && (r == Unsandboxed || r == Partial || r == TooShallow)
}

// words returns what is missing or not known; empty where the snapshot or the process
// explains that.
func (x *Expect) words(result Result, reason Reason, c *condition, d *demand) string {
	switch {
	case result == Compliant, reason == LandlockDisabled, c.state == scan.Unknown:
		return ""
	case reason == Unsandboxed:
		return "none of its tasks is in a domain"
	case reason == Partial:
		return "some of its tasks are in no domain"
	case reason == Sandboxed && c.state == scan.Partial:
		return "some of its tasks are in a domain, want none"
	case reason == Sandboxed:
		return "its tasks are in a domain, want none"
	case !c.listed:
		return "its tasks are not listed"
	}
	var all []string
	for i := range requirements {
		r := &requirements[i]
		answer := r.met(x, c, d)
		switch {
		case answer == access.No && r.reason == reason:
			return r.words(x, c, d, answer)
		case answer == access.Unknown:
			if words := r.words(x, c, d, answer); words != "" {
				all = append(all, words)
			}
		}
	}
	return strings.Join(all, "; ")
}
