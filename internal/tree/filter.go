// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/scan"
)

// Filter is which processes are asked for: all that fit each member that is set.
type Filter struct {
	// States are words of [States].
	States []string
	// Workloads are patterns of path.Match.
	Workloads []string
	// Domain: some task is in that domain, or in one that is nested in it.
	Domain domainid.ID
	// Rights are patterns of access.Match: it is restricted for certain in one of them.
	Rights []string
	PIDs   []int32
}

// States returns the words of processes' states.
func States() []string {
	return []string{scan.Sandboxed.String(), facts.Ineffective, scan.Partial.String(),
		scan.Unsandboxed.String(), scan.Unknown.String()}
}

// Empty reports whether all processes fit.
func (f *Filter) Empty() bool {
	return len(f.States)+len(f.Workloads)+len(f.Rights)+len(f.PIDs) == 0 && f.Domain == domainid.None
}

// Of returns a function that reports whether a process of a snapshot fits.
func (f *Filter) Of(s *scan.Snapshot) func(*scan.Process) bool {
	var rights access.Rights
	for _, glob := range f.Rights {
		for _, r := range access.Match(glob) {
			rights = rights.Union(r.Rights())
		}
	}
	within := make([]bool, len(s.Domains)) // a parent stands before its children
	for i := range s.Domains {
		up := s.Domains[i].Parent
		within[i] = s.Domains[i].ID == f.Domain || up >= 0 && up < int32(i) && within[up]
	}
	inDomain := func(t scan.Task) bool { return s.DomainOf(t) >= 0 && within[s.DomainOf(t)] }
	return func(p *scan.Process) bool {
		sandbox, inside := s.SandboxOf(p)
		name := ""
		if w := s.WorkloadOf(p); w != nil {
			name = w.Name
		}
		switch {
		case len(f.PIDs) > 0 && !slices.Contains(f.PIDs, p.PID):
		case len(f.States) > 0 && !slices.Contains(f.States, facts.StateWord(p.State, s.Ineffective(p))):
		case !facts.Matches(f.Workloads, name):
		case f.Domain != domainid.None && !slices.ContainsFunc(s.TasksOf(p), inDomain):
		case len(f.Rights) > 0 && (!inside || sandbox.Restricts.Sure.Intersect(rights).Empty()):
		default:
			return true
		}
		return false
	}
}
