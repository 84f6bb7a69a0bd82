// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Judge says whether a process of a snapshot is as expected, whatever its age,
// and in words what is missing or not known; no words if it is compliant.
func (x *Expect) Judge(s *scan.Snapshot, p *scan.Process) (Outcome, Reason, string) {
	if s.Kernel.Landlock != scan.Enabled {
		return Violating, LandlockDisabled, "this kernel cannot sandbox anything: Landlock is " + disabledText(s.Kernel.Landlock)
	}
	c, d := conditionOf(s, p, chains(s, nil)), x.demandOn(s.Kernel.ABI)
	outcome, reason := x.judge(&c, &d)
	return outcome, reason, x.words(outcome, reason, s, p, &c, &d)
}

func disabledText(a scan.Availability) string {
	if a == scan.Disabled {
		return "built but was not enabled at boot"
	}
	return "not built into it"
}

func (x *Expect) words(outcome Outcome, reason Reason, s *scan.Snapshot, p *scan.Process, c *condition, d *demand) string {
	switch {
	case outcome == Compliant:
		return ""
	case c.state == scan.Unknown:
		return strings.TrimSpace("its state is unknown: " + p.Reason.String())
	}
	switch reason {
	case Unsandboxed:
		return "none of its tasks is in a domain"
	case Partial:
		return "some of its tasks are in no domain"
	case TooShallow:
		return fmt.Sprintf("its shallowest task is at depth %d, want at least %d", c.maybeDepth, x.MinDepth)
	case RightNotRestricted:
		if len(d.missing) > 0 {
			return "this kernel lacks " + strings.Join(d.missing, ", ")
		}
		return "not restricted in every task: " + rightsLacked(s, p, d.rights.Without(c.maybeRight))
	}
	if int(c.depth) < x.MinDepth {
		return fmt.Sprintf("its shallowest task is at depth %d or deeper, want at least %d: not all domains that it is nested in are known", c.depth, x.MinDepth)
	}
	if rights := d.rights.Without(c.rights); rights != (access.Rights{}) {
		if p.RulesUnread {
			return "its rules could not be read: it is not known whether they grant everywhere " + strings.Join(access.Names(rights), ", ")
		}
		return "it is not known whether all its layers together restrict " + strings.Join(access.Names(rights), ", ")
	}
	return ""
}

// rightsLacked names rights, and apart those that are handled but that rules
// grant everywhere.
func rightsLacked(s *scan.Snapshot, p *scan.Process, lacked access.Rights) string {
	handled := everyRight
	for _, t := range s.TasksOf(p) {
		if t.State == scan.Sandboxed {
			handled = handled.Intersect(domainid.Handled(s.Domains, t.Domain))
		}
	}
	var parts []string
	if names := access.Names(lacked.Without(handled)); len(names) > 0 {
		parts = append(parts, strings.Join(names, ", "))
	}
	if names := access.Names(lacked.Intersect(handled)); len(names) > 0 {
		parts = append(parts, strings.Join(names, ", ")+" (handled, but its rules grant that everywhere)")
	}
	return strings.Join(parts, ", ")
}
