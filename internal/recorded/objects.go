// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/scan"
)

// Processes returns a function that makes the object that a recorded snapshot has of one
// of its processes. It has no view_index, which is one of that array.
func Processes(s *scan.Snapshot) func(*scan.Process) any {
	reader := facts.NewReader(s)
	return func(p *scan.Process) any {
		return newProcessJSON(s, p, reader.Read(int32(s.Index(p.PID))), nil, false)
	}
}

// Rights makes the object that a recorded snapshot has of a set of rights.
func Rights(set access.Rights) any { return newRightsJSON(set) }

// States makes the object that a recorded snapshot has of numbers by state.
func States(n scan.ByState) any { return newStatesJSON(n) }

// Place makes the object that a recorded snapshot has of where credentials are.
func Place(s *scan.Snapshot, at scan.Place) any { return newPlaceJSON(s, at) }

// Domains makes the objects that a recorded snapshot has of some of its domains, by
// their places, and of the rulesets that they have: ruleset_index is that in the latter.
func Domains(s *scan.Snapshot, domains []int32) (objects, rulesets []any) {
	forest := s.Forest()
	index := &rulesetIndex{of: map[*domainid.Ruleset]int32{}}
	objects = make([]any, 0, len(domains))
	for _, d := range domains {
		index.add(s.Domains[d].Ruleset)
		objects = append(objects, newDomainJSON(s, forest, index, d))
	}
	rulesets = make([]any, 0, len(index.all))
	for _, r := range index.all {
		rulesets = append(rulesets, newRulesetJSON(r))
	}
	return objects, rulesets
}
