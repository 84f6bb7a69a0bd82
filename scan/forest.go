// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"time"

	"github.com/landlockd/landlockd/domainid"
)

// Forest maps the domains of a snapshot to its process trees. Processes and
// domains have the indices that they have in s.Processes and s.Domains.
func (s *Snapshot) Forest() *domainid.Forest {
	members := make([]domainid.Member, len(s.Processes))
	domains := make([]int32, 0, len(s.Tasks))
	for i := range s.Processes {
		p := &s.Processes[i]
		first := len(domains)
		for _, t := range s.TasksOf(p) {
			if d := s.DomainOf(t); d >= 0 {
				domains = append(domains, d)
			}
		}
		members[i] = domainid.Member{PID: p.PID, PPID: p.PPID, Start: p.Start, Domains: domains[first:]}
	}
	return domainid.NewForest(s.Domains, members)
}

// DomainOf returns the index of a task's domain, or domainid.Outermost if it is
// in none or its domain is not known.
func (s *Snapshot) DomainOf(t Task) int32 {
	if t.State != Sandboxed || t.Domain < 0 || int(t.Domain) >= len(s.Domains) {
		return domainid.Outermost
	}
	return t.Domain
}

// Started returns the wall-clock time at which a process of the snapshot was
// created; the zero time if that is not known.
func (s *Snapshot) Started(p *Process) time.Time {
	// A start of 0 is one that was not read.
	if s.Uptime <= 0 || p.Start == 0 || p.Start > uint64(s.Uptime+time.Minute) {
		return time.Time{}
	}
	return s.Time.Add(time.Duration(p.Start) - s.Uptime)
}
