// SPDX-License-Identifier: Apache-2.0

package view

import (
	"cmp"
	"slices"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Processes returns a function that makes the object that JSON has of a process
// of a snapshot. It has no view_index, which is one of that array.
func Processes(s *scan.Snapshot) func(*scan.Process) any {
	reader := newFactsReader(s)
	return func(p *scan.Process) any {
		i, _ := slices.BinarySearchFunc(s.Processes, p.PID, func(q scan.Process, pid int32) int { return cmp.Compare(q.PID, pid) })
		j := newProcessJSON(s, p, reader.read(int32(i)), nil)
		j.Domains = slices.Clone(j.Domains)
		return j
	}
}

// DomainObjects makes the objects that JSON has of some domains of a snapshot, by
// their places, and of the rulesets that they have: ruleset_index is that in the
// latter.
func DomainObjects(s *scan.Snapshot, domains []int32) (objects, rulesets []any) {
	forest := Forest(s)
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

// Started returns the wall-clock time at which a process of a snapshot was
// created; the zero time if that is not known.
func Started(s *scan.Snapshot, p *scan.Process) time.Time {
	// A start of 0 is one that was not read.
	if s.Uptime <= 0 || p.Start == 0 || p.Start > uint64(s.Uptime+time.Minute) {
		return time.Time{}
	}
	return s.Time.Add(time.Duration(p.Start) - s.Uptime)
}
