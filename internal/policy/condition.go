// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// condition is all that an expectation can see of a process. What is known of its
// tasks that are in a domain is a lower bound, what each of them has for certain,
// and an upper one, what each of them may have: where a lineage is not known,
// there may be layers that are not known either, and where rules were not read,
// they may grant all that is handled.
type condition struct {
	state             scan.State
	depth, maybeDepth uint16
	// rights are those that are restricted.
	rights, maybeRight access.Rights
}

const anyDepth = math.MaxUint16

var everyRight = access.Every()

// chain is what the layers of a domain and of those that it is nested in handle
// together; complete if all are known. A layer restricts no more than it handles.
type chain struct {
	handled  access.Rights
	complete bool
}

// chains returns the chain of each domain, in the memory of old.
func chains(s *scan.Snapshot, old []chain) []chain {
	old = old[:0]
	for i := range s.Domains {
		d := &s.Domains[i]
		c := chain{handled: d.Handled}
		if s.Kernel.ABI >= 2 && d.Handled[access.FS] != 0 {
			// Every such layer denies it, and not every kernel says so.
			c.handled[access.FS] |= access.Refer
		}
		// No kernel makes a layer that handles nothing: it is not known what.
		known := d.Handled != access.Rights{} && d.Lineage == domainid.LineageKnown
		if d.Parent >= 0 && int(d.Parent) < i {
			c.complete = known && old[d.Parent].complete
			c.handled = c.handled.Union(old[d.Parent].handled)
		} else {
			c.complete = known && d.Depth <= 1
		}
		old = append(old, c)
	}
	return old
}

// conditionOf returns a process's condition.
func conditionOf(s *scan.Snapshot, p *scan.Process, chains []chain) condition {
	c := condition{state: p.State, depth: anyDepth, maybeDepth: anyDepth, rights: everyRight, maybeRight: everyRight}
	inside := 0
	for _, t := range s.TasksOf(p) {
		if t.State == scan.Unsandboxed {
			continue
		}
		inside++
		if t.State != scan.Sandboxed || t.Domain < 0 || int(t.Domain) >= len(chains) {
			c.depth, c.rights = min(c.depth, 1), access.Rights{}
			continue
		}
		d, of := &s.Domains[t.Domain], &chains[t.Domain]
		c.depth = min(c.depth, max(1, d.Depth))
		if d.Lineage == domainid.LineageKnown {
			c.maybeDepth = min(c.maybeDepth, max(1, d.Depth))
		}
		c.rights = c.rights.Intersect(of.handled)
		if of.complete {
			c.maybeRight = c.maybeRight.Intersect(of.handled)
		}
	}
	if inside == 0 {
		c.depth, c.rights = 1, access.Rights{}
	}
	c.readRules(s, p)
	if p.State == scan.Sandboxed {
		// Where the source tells a process's depth but not its domains.
		c.depth = max(c.depth, p.Depth)
	}
	return c
}

// readRules narrows the bounds by what the rules of domains grant. A source that
// reads none has nothing to say: then what is handled stands in.
func (c *condition) readRules(s *scan.Snapshot, p *scan.Process) {
	switch {
	case s.Source.Rules != "read" || p.State != scan.Sandboxed && p.State != scan.Partial:
	case p.RulesUnread:
		c.rights, c.maybeRight = access.Rights{}, c.maybeRight.Intersect(p.Restricted)
	default:
		c.rights, c.maybeRight = p.Restricted, p.Restricted
	}
}

// judge says whether a condition is as expected, whatever the process's age, and
// for which reason not. Landlock must be enabled.
func (x *Expect) judge(c *condition, d *demand) (Outcome, Reason) {
	switch {
	case c.state == scan.Unknown:
		return Unknown, NoReason
	case c.state == scan.Unsandboxed:
		return Violating, Unsandboxed
	case !x.Allows(c.state):
		return Violating, Partial
	case int(c.maybeDepth) < x.MinDepth:
		return Violating, TooShallow
	case len(d.missing) > 0 || d.rights.Without(c.maybeRight) != access.Rights{}:
		return Violating, RightNotRestricted
	case int(c.depth) < x.MinDepth || d.rights.Without(c.rights) != access.Rights{}:
		return Unknown, NoReason
	default:
		return Compliant, NoReason
	}
}
