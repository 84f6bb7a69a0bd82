// SPDX-License-Identifier: Apache-2.0

// Package services shows the workloads of a snapshot: what each is, and what rules say of it.
package services

import (
	"cmp"
	"slices"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// Service is all workloads of one name.
type Service struct {
	scan.WorkloadProcesses
	// Depth is that of the shallowest task and MaxDepth of the deepest, of processes whose
	// state is known; lower bounds unless Exact.
	Depth, MaxDepth uint16
	Exact           bool
	// Domains is the number of domains that its tasks are in directly, as far as is known.
	Domains int
	// Restricts are the rights in which all of its tasks that are in a domain are
	// restricted; without meaning unless Sandboxed, which is that there is such a task.
	Restricts access.Bounds
	Sandboxed bool
	// Oldest is when its oldest process was made, since boot.
	Oldest time.Duration
	// Rules are those about its processes, by name.
	Rules []policy.RuleResult
	// Reach has one for each asset that was asked for.
	Reach []Reach
}

// Word is "violating" if it violates a rule, or else its state, or "ineffective".
func (s *Service) Word() string {
	violates := func(r policy.RuleResult) bool { return r.Result() == policy.Violating }
	if slices.ContainsFunc(s.Rules, violates) {
		return policy.Violating.String()
	}
	return facts.StateWord(s.State(), s.Ineffective)
}

// Is reports whether a word is the service's.
func (s *Service) Is(word string) bool { return s.Word() == word }

// Words returns those of [Service.Word], the worst first.
func Words() []string {
	return []string{
		policy.Violating.String(), scan.Partial.String(), scan.Unsandboxed.String(),
		scan.Unknown.String(), facts.Ineffective, scan.Sandboxed.String(),
	}
}

// Of returns the services of a snapshot by name, with the results of rules by workload, which
// may be nil, and which of some of its assets, by their places, Landlock keeps them from.
func Of(s *scan.Snapshot, rules map[string][]policy.RuleResult, assets ...int) []Service {
	counted := s.ByWorkload()
	all, at := make([]Service, len(counted)), make(map[string]int, len(counted))
	for i := range counted {
		all[i] = Service{WorkloadProcesses: counted[i], Exact: true, Rules: rules[counted[i].Name]}
		at[counted[i].Name] = i
	}
	reader := facts.NewReader(s)
	domains := make([]map[int32]bool, len(all))
	known := make([]bool, len(all))
	for i := range s.Processes {
		p := &s.Processes[i]
		w := s.WorkloadOf(p)
		if w == nil {
			continue
		}
		n := at[w.Name]
		service := &all[n]
		if start := time.Duration(p.Start); service.Oldest == 0 || start < service.Oldest {
			service.Oldest = start
		}
		f := reader.Read(int32(i))
		service.addDepth(p, f, known[n])
		known[n] = known[n] || p.State != scan.Unknown
		if sandbox, inside := s.SandboxOf(p); inside {
			service.addSandbox(sandbox)
		}
		if len(f.Domains) > 0 && domains[n] == nil {
			domains[n] = map[int32]bool{}
		}
		for _, d := range f.Domains {
			domains[n][d] = true
		}
	}
	for i := range all {
		all[i].Domains = len(domains[i])
	}
	addReach(s, all, at, assets)
	return all
}

// addDepth adds a process, which is not the first whose state is known if others are.
func (s *Service) addDepth(p *scan.Process, f facts.Facts, others bool) {
	s.Exact = s.Exact && f.Exact
	if p.State == scan.Unknown {
		return
	}
	if !others || f.Depth < s.Depth {
		s.Depth = f.Depth
	}
	s.MaxDepth = max(s.MaxDepth, f.MaxDepth)
}

func (s *Service) addSandbox(sandbox domainid.Sandbox) {
	if s.Sandboxed {
		sandbox.Restricts = s.Restricts.Intersect(sandbox.Restricts)
	}
	s.Restricts, s.Sandboxed = sandbox.Restricts, true
}

// Age is how old its oldest process was at the scan; false if that is not known.
func (s *Service) Age(snap *scan.Snapshot) (time.Duration, bool) {
	return max(0, snap.Uptime-s.Oldest), snap.Uptime > 0
}

// Sorts are the orders of [Sort]; the first one is by state, the worst first.
func Sorts() []string { return []string{"state", "workload", "processes", "depth", "age"} }

// Sort puts services into an order: the worst, the most, the shallowest or the oldest first,
// and those that are alike by name.
func Sort(all []Service, by string) {
	rank := map[string]int{}
	for i, word := range Words() {
		rank[word] = i
	}
	order.By(all, func(a, b Service) int {
		order := 0
		switch by {
		case "state":
			order = cmp.Compare(rank[a.Word()], rank[b.Word()])
		case "processes":
			order = cmp.Compare(b.Processes.Total(), a.Processes.Total())
		case "depth":
			order = cmp.Compare(a.Depth, b.Depth)
		case "age":
			order = cmp.Compare(a.Oldest, b.Oldest)
		}
		return cmp.Or(order, cmp.Compare(a.Name, b.Name))
	})
}
