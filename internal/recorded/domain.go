// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"
	"slices"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

type domainJSON struct {
	// Nothing can refer to a domain whose ID is null.
	ID         domainid.ID      `json:"id"`
	Parent     domainid.ID      `json:"parent"`
	Depth      uint16           `json:"depth" min:"1"`
	DepthExact bool             `json:"depth_exact" read:"no"`
	Lineage    domainid.Lineage `json:"lineage"`
	Handled    *rightsJSON      `json:"handled"`
	// HandlesOther: it also handles rights of a class without a name here.
	HandlesOther bool          `json:"handles_other"`
	Layers       []domainid.ID `json:"layers" read:"no"`
	Children     []domainid.ID `json:"children" read:"no"`
	Rules        *uint32       `json:"rules"`
	// RulesetIndex is that in the array of rulesets.
	RulesetIndex *int32              `json:"ruleset_index" read:"optional" min:"0"`
	Denials      *uint64             `json:"denials"`
	Log          *domainid.LogStatus `json:"log" read:"optional"`
	Creator      *creatorJSON        `json:"creator"`
	Processes    int                 `json:"processes" read:"no"`
	Members      []int32             `json:"members" read:"no"`
}

type creatorJSON struct {
	PID  int32           `json:"pid"`
	UID  uint32          `json:"uid"`
	Comm untrusted.Text  `json:"comm"`
	Exe  *untrusted.Text `json:"exe" read:"optional" max:"4160"`
}

func newDomainJSON(s *scan.Snapshot, forest *domainid.Forest, rulesets *rulesetIndex,
	i int32) *domainJSON {
	d := &s.Domains[i]
	j := &domainJSON{
		ID:         d.ID,
		Depth:      max(1, d.Depth),
		DepthExact: d.Lineage == domainid.LineageKnown,
		Lineage:    d.Lineage,
		Processes:  forest.NumBelow(i),
		Log:        OrNull(d.Log),
		Children:   []domainid.ID{},
		Members:    []int32{},

		HandlesOther: d.HandlesOther,
		RulesetIndex: rulesets.find(d.Ruleset),
	}
	for at := range domainid.Chain(s.Domains, i) {
		j.Layers = append(j.Layers, s.Domains[at].ID)
	}
	slices.Reverse(j.Layers)
	for _, child := range forest.NestedDomains(i) {
		j.Children = append(j.Children, s.Domains[child].ID)
	}
	for _, p := range forest.Members(i) {
		j.Members = append(j.Members, s.Processes[p].PID)
	}
	if parent := forest.ParentDomain(i); parent >= 0 {
		j.Parent = s.Domains[parent].ID
	}
	// No kernel makes a domain that handles nothing: then it was not read.
	if !d.Handled.Empty() || d.HandlesOther {
		j.Handled = newRightsJSON(d.Handled)
	}
	if d.Rules != domainid.RulesUncounted {
		j.Rules = &d.Rules
	}
	if s.Source.CountsDenials() {
		j.Denials = &d.Denials
	}
	if c := d.Creator; c != (domainid.Creator{}) {
		j.Creator = &creatorJSON{c.PID, c.UID, untrusted.Text(c.Comm), untrusted.OrNull(c.Exe)}
	}
	return j
}

func (r *reader) domain(j *domainJSON) error {
	if len(r.snap.Domains) == maxTasks {
		return errors.New("too many domains")
	}
	d := domainid.Domain{
		ID: j.ID, Depth: j.Depth, Lineage: j.Lineage,
		Rules: orElse(j.Rules, domainid.RulesUncounted), HandlesOther: j.HandlesOther, Denials: orZero(j.Denials), Log: orZero(j.Log),
	}
	if j.Handled != nil {
		d.Handled = j.Handled.rights()
	}
	if c := j.Creator; c != nil {
		d.Creator = domainid.Creator{PID: c.PID, UID: c.UID, Comm: string(c.Comm),
			Exe: string(orZero(c.Exe))}
	}
	r.snap.Domains = append(r.snap.Domains, d)
	r.parents = append(r.parents, j.Parent)
	r.rulesetOf = append(r.rulesetOf, j.RulesetIndex)
	return nil
}
