// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

type domainJSON struct {
	ID         domainid.ID      `json:"id"`
	Parent     domainid.ID      `json:"parent"`
	Depth      int              `json:"depth"`
	DepthExact bool             `json:"depth_exact"`
	Lineage    domainid.Lineage `json:"lineage"`
	Handled    *rightsJSON      `json:"handled"`
	// HandlesOther: it also handles rights of a class without a name here.
	HandlesOther bool          `json:"handles_other"`
	Layers       []domainid.ID `json:"layers"`
	Children     []domainid.ID `json:"children"`
	Rules        *uint32       `json:"rules"`
	// RulesetIndex is that in the array of rulesets.
	RulesetIndex *int32              `json:"ruleset_index"`
	Denials      *uint64             `json:"denials"`
	Log          *domainid.LogStatus `json:"log"`
	Creator      *creatorJSON        `json:"creator"`
	Processes    int                 `json:"processes"`
	Members      []int32             `json:"members"`
}

type creatorJSON struct {
	PID  int32           `json:"pid"`
	UID  uint32          `json:"uid"`
	Comm untrusted.Text  `json:"comm"`
	Exe  *untrusted.Text `json:"exe"`
}

// rightsJSON is a set of rights, with masks as hexadecimal text: no numbers to reckon with.
type rightsJSON access.Rights

func newRightsJSON(r access.Rights) *rightsJSON { return (*rightsJSON)(&r) }

// MarshalJSON writes a mask for each class, by its name, and the rights' names.
func (r *rightsJSON) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for c, m := range r {
		b = fmt.Appendf(b, "%q:\"%#x\",", access.Class(c).String(), m)
	}
	b = append(b, `"names":[`...)
	for i, name := range access.Names(access.Rights(*r)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, name) // of letters, dots and underscores
	}
	return append(b, ']', '}'), nil
}

type mask uint32

// MarshalText encodes the mask.
func (m mask) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%#x", uint32(m)), nil }

func newDomainJSON(s *scan.Snapshot, forest *domainid.Forest, rulesets *rulesetIndex, i int32) domainJSON {
	d := &s.Domains[i]
	j := domainJSON{
		ID:         d.ID,
		Depth:      depthOf(d),
		DepthExact: d.Lineage == domainid.LineageKnown,
		Lineage:    d.Lineage,
		Processes:  forest.NumBelow(i),
		Log:        unlessZero(d.Log),
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
	if countsDenials(s) {
		j.Denials = &d.Denials
	}
	if d.Creator != (domainid.Creator{}) {
		j.Creator = &creatorJSON{d.Creator.PID, d.Creator.UID, untrusted.Text(d.Creator.Comm), untrusted.OrNull(d.Creator.Exe)}
	}
	return j
}
