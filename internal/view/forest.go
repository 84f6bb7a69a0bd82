// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Forest maps the domains of a snapshot to its process trees. Processes and
// domains have the indices that they have in s.Processes and s.Domains.
func Forest(s *scan.Snapshot) *domainid.Forest {
	members := make([]domainid.Member, len(s.Processes))
	domains := make([]int32, 0, len(s.Tasks))
	for i := range s.Processes {
		p := &s.Processes[i]
		first := len(domains)
		for _, t := range s.TasksOf(p) {
			if d := domainOf(s, t); d >= 0 {
				domains = append(domains, d)
			}
		}
		members[i] = domainid.Member{PID: p.PID, PPID: p.PPID, Start: p.Start, Domains: domains[first:]}
	}
	return domainid.NewForest(s.Domains, members)
}

// domainOf returns the index of a task's domain, or domainid.Outermost if it is
// in none or its domain is not known.
func domainOf(s *scan.Snapshot, t scan.Task) int32 {
	if t.State != scan.Sandboxed || t.Domain < 0 || int(t.Domain) >= len(s.Domains) {
		return domainid.Outermost
	}
	return t.Domain
}
