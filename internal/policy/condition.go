// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// condition is all that an expectation can see of a process.
type condition struct {
	state scan.State
	// sandbox is what being in domains means for those of its tasks that are, if
	// they are listed.
	sandbox domainid.Sandbox
	listed  bool
	// outside reports whether a worker of it may act outside of its domains.
	outside access.Answer
}

// conditionOf returns a process's condition.
func conditionOf(s *scan.Snapshot, p *scan.Process) condition {
	sandbox, listed := s.SandboxOf(p)
	return condition{state: p.State, sandbox: sandbox, listed: listed, outside: s.OutsideWorker(p)}
}

// judge reports whether a condition is as expected, whatever the process's age,
// and for which reason it is not. What is certain to violate does so, whatever else is
// unknown.
func (x *Expect) judge(c *condition, d *demand) (Result, Reason) {
	restricts := &c.sandbox.Restricts
	switch {
	case x.Free:
		return x.judgeFree(c, d)
	case d.disabled:
		return Violating, LandlockDisabled
	case c.state == scan.Unknown:
		return Unknown, NoReason
	case c.state == scan.Unsandboxed:
		return Violating, Unsandboxed
	case !x.Allows(c.state):
		return Violating, Partial
	case !c.listed:
		return Unknown, NoReason
	case !x.Ineffective && c.sandbox.Effective() == access.No:
		return Violating, RestrictsNothing
	case int(c.sandbox.MostDepth) < x.MinDepth:
		return Violating, TooShallow
	case x.MaxDepth > 0 && int(c.sandbox.Deepest) > x.MaxDepth:
		return Violating, TooDeep
	case len(d.missing) > 0 || !restricts.May.Has(d.rights):
		return Violating, RightNotRestricted
	case x.OutsideWorkers == OutsideViolates && d.outside(c) == access.Yes:
		return Violating, OutsideWorker
	case x.doubts(c, d) != 0:
		return Unknown, NoReason
	default:
		return Compliant, NoReason
	}
}

// judgeFree is judge where a process must be in no domain. Without Landlock none is in one.
func (x *Expect) judgeFree(c *condition, d *demand) (Result, Reason) {
	switch {
	case d.disabled || x.Allows(c.state):
		return Compliant, NoReason
	case c.state == scan.Unknown:
		return Unknown, NoReason
	default:
		return Violating, Sandboxed
	}
}

// doubt is a set of what must be known of a process in a domain to find it as
// expected, and is not.
type doubt uint8

const (
	// doubtEffective: whether it is restricted in any right.
	doubtEffective doubt = 1 << iota
	// doubtDepth: whether it is deep enough.
	doubtDepth
	// doubtDeepest: whether it is not too deep.
	doubtDeepest
	// doubtRights: whether it is restricted in each right that is asked for.
	doubtRights
	// doubtWorker: whether that holds for its workers.
	doubtWorker
)

// doubts returns what is not known of a condition.
func (x *Expect) doubts(c *condition, d *demand) doubt {
	var unknown doubt
	if !x.Ineffective && d.rulesRead && c.sandbox.Effective() == access.Unknown {
		unknown |= doubtEffective
	}
	if int(c.sandbox.Depth) < x.MinDepth {
		unknown |= doubtDepth
	}
	if x.MaxDepth > 0 && !c.sandbox.Exact {
		unknown |= doubtDeepest
	}
	if !c.sandbox.Restricts.Sure.Has(d.rights) {
		unknown |= doubtRights
	}
	if x.OutsideWorkers != OutsideAllowed && d.outside(c) != access.No {
		unknown |= doubtWorker
	}
	return unknown
}

// outside reports whether what is asked for may not hold for a worker.
func (d *demand) outside(c *condition) access.Answer {
	if d.rights.Empty() {
		return access.No
	}
	return c.outside
}
