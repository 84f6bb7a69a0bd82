// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

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

// limits are what of a snapshot decides what can be asked for.
type limits struct {
	// rights are those that its kernel can restrict.
	rights access.Bounds
	// rulesRead: the rules of domains are read there. Where they are not, being in
	// a domain stands in for being restricted in some right: each handles one.
	rulesRead bool
	// disabled: its kernel sandboxes nothing.
	disabled bool
}

func limitsOf(s *scan.Snapshot) limits {
	return limits{s.Kernel.Rights, s.Source.Rules == "read", s.Kernel.Landlock != scan.Enabled}
}

// demand is what an Expect asks for on one host.
type demand struct {
	limits
	asked access.Rights
	// missing are the names and globs of which the kernel has no right, if that
	// violates.
	missing []string
	// assets are the places of OutOfReach among the assets of the snapshot, or -1 of one
	// that was not looked at as it is defined here.
	assets []int
}

// demandOn returns what is asked for on a host: all rights but those that the
// kernel is known to lack, and those assets that were looked at.
func (x *Expect) demandOn(l limits, assets []domainid.Asset) demand {
	d := demand{limits: l}
	for i := range x.OutOfReach {
		same := func(a domainid.Asset) bool { return a.Equal(&x.OutOfReach[i]) }
		d.assets = append(d.assets, slices.IndexFunc(assets, same))
	}
	for _, text := range x.Restricts {
		has := false
		for _, r := range rightsOf(text) {
			if l.rights.Of(r) != access.No {
				d.asked, has = d.asked.Union(r.Rights()), true
			}
		}
		if !has && x.OldKernelViolates {
			d.missing = append(d.missing, text)
		}
	}
	return d
}
