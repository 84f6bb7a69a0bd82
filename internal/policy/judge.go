// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Judge reports whether a process of a snapshot is as expected, whatever its age,
// and in words what is missing or not known; no words if it is compliant.
func (x *Expect) Judge(s *scan.Snapshot, p *scan.Process) (Result, Reason, string) {
	c, d := conditionOf(s, p), x.demandOn(limitsOf(s))
	result, reason := x.judge(&c, &d)
	if reason == LandlockDisabled {
		return result, reason,
			"this kernel cannot sandbox anything: Landlock is " + disabledText(s.Kernel.Landlock)
	}
	return result, reason, x.words(result, reason, p, &c, &d)
}

// Lasting reports whether a process that is not as expected for a reason was never as
// expected since it began: no task leaves a domain, and every task comes from one that was
// no deeper. A process can come into a domain, or a deeper one, at any time. What rules
// come to can change, and so can which workers are outside; and where free tasks are
// allowed, which tasks count.
func (x *Expect) Lasting(r Reason) bool {
	switch r {
	case LandlockDisabled:
		return true
	case Unsandboxed, Partial, TooShallow:
		return !x.Partial
	default:
		return false
	}
}

func disabledText(a scan.Availability) string {
	if a == scan.Disabled {
		return "built but was not enabled at boot"
	}
	return "not built into it"
}

func (x *Expect) words(result Result, reason Reason, p *scan.Process, c *condition, d *demand) string {
	switch {
	case result == Compliant:
		return ""
	case c.state == scan.Unknown:
		return strings.TrimSpace("its state is unknown: " + p.Reason.String())
	}
	switch reason {
	case NoReason:
		if !c.listed {
			return "its tasks are not listed"
		}
	case Unsandboxed:
		return "none of its tasks is in a domain"
	case Partial:
		return "some of its tasks are in no domain"
	case RestrictsNothing:
		return "it is sandboxed, but restricts nothing: no right is restricted in every task"
	case TooShallow:
		return fmt.Sprintf("its shallowest task is at depth %d, want at least %d", c.sandbox.MostDepth, x.MinDepth)
	case TooDeep:
		return x.deepText(c)
	case RightNotRestricted:
		if len(d.missing) > 0 {
			return "this kernel lacks " + strings.Join(d.missing, ", ")
		}
		return "not restricted in every task: " + rightsLacked(&c.sandbox, d.rights.Without(c.sandbox.Restricts.May))
	case OutsideWorker:
		return "it has a " + worker + " that may act outside of its domains"
	case Sandboxed:
		if c.state == scan.Partial {
			return "some of its tasks are in a domain, want none"
		}
		return "its tasks are in a domain, want none"
	}
	return strings.Join(x.doubtWords(c, d), "; ")
}

// deepText returns how deep the deepest task is, and how deep it may be.
func (x *Expect) deepText(c *condition) string {
	deeper := ""
	if !c.sandbox.Exact {
		deeper = " or deeper"
	}
	return fmt.Sprintf("its deepest task is at depth %d%s, want at most %d",
		c.sandbox.Deepest, deeper, x.MaxDepth)
}

// worker is what people call scan.Worker.
const worker = "thread that the kernel made for it (io_uring, vhost)"

// doubtWords returns what is not known of a condition, and why.
func (x *Expect) doubtWords(c *condition, d *demand) []string {
	unknown := x.doubts(c, d)
	var words []string
	because := ": " + strings.Join(c.sandbox.Doubt.Sentences(), ", ")
	switch {
	case unknown&doubtRights != 0: // that covers doubtEffective, too
		names := access.Names(d.rights.Without(c.sandbox.Restricts.Sure))
		words = append(words, "it is not known whether it restricts "+firstOf(names)+because)
	case unknown&doubtEffective != 0:
		words = append(words, "it is not known whether it restricts anything"+because)
	}
	if unknown&doubtDepth != 0 {
		words = append(words, fmt.Sprintf("its shallowest task is at depth %d or deeper, want at least %d: "+
			"not all domains that it is nested in are known", c.sandbox.Depth, x.MinDepth))
	}
	if unknown&doubtDeepest != 0 {
		words = append(words, x.deepText(c)+": not all domains that its tasks are in are known")
	}
	switch {
	case unknown&doubtWorker == 0:
	case c.outside == access.Yes:
		words = append(words, "what it restricts may not hold: it has a "+worker+" that may act outside of its domains")
	default:
		words = append(words, "what it restricts may not hold: it is not known whether a "+worker+
			" may act outside of its domains")
	}
	return words
}

// firstOf lists as many names as one can read in a line, and counts the others.
func firstOf(names []string) string {
	const most = 8
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// rightsLacked names rights, and apart those that every task handles but that rules
// grant everywhere to some task.
func rightsLacked(c *domainid.Sandbox, lacked access.Rights) string {
	handled := c.Handles.Sure
	var parts []string
	if names := access.Names(lacked.Without(handled)); len(names) > 0 {
		parts = append(parts, strings.Join(names, ", "))
	}
	if names := access.Names(lacked.Intersect(handled)); len(names) > 0 {
		parts = append(parts, strings.Join(names, ", ")+" (handled, but granted everywhere in some task)")
	}
	return strings.Join(parts, ", ")
}
