// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

type domainJSON struct {
	ID         domainid.ID      `json:"id"`
	Parent     domainid.ID      `json:"parent"`
	Depth      int              `json:"depth"`
	DepthExact bool             `json:"depth_exact"`
	Lineage    domainid.Lineage `json:"lineage"`
	Handled    *handledJSON     `json:"handled"`
	Rules      *uint32          `json:"rules"`
	Denials    *uint64          `json:"denials"`
	Creator    *creatorJSON     `json:"creator"`
	Processes  int              `json:"processes"`
}

type creatorJSON struct {
	PID  int32   `json:"pid"`
	UID  uint32  `json:"uid"`
	Comm hostile `json:"comm"`
}

// handledJSON has masks as hexadecimal text: a mask is not a number to reckon with.
type handledJSON struct {
	FS    mask `json:"fs"`
	Net   mask `json:"net"`
	Scope mask `json:"scope"`
}

type mask uint32

// MarshalText encodes the mask.
func (m mask) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%#x", uint32(m)), nil }

func newDomainJSON(s *scan.Snapshot, forest *domainid.Forest, i int32) domainJSON {
	d := &s.Domains[i]
	j := domainJSON{
		ID:         d.ID,
		Depth:      depthOf(d),
		DepthExact: d.Lineage == domainid.LineageKnown,
		Lineage:    d.Lineage,
		Processes:  forest.NumBelow(i),
	}
	if parent := forest.ParentDomain(i); parent >= 0 {
		j.Parent = s.Domains[parent].ID
	}
	// No kernel makes a domain that handles nothing: then it was not read.
	if d.Handled != (domainid.Rights{}) {
		j.Handled = &handledJSON{mask(d.Handled.FS), mask(d.Handled.Net), mask(d.Handled.Scope)}
	}
	if s.Source.Rules != "none" && d.Rules != domainid.RulesUnread {
		j.Rules = &d.Rules
	}
	if s.Source.Denials != "none" {
		j.Denials = &d.Denials
	}
	if d.Creator != (domainid.Creator{}) {
		j.Creator = &creatorJSON{d.Creator.PID, d.Creator.UID, hostile(d.Creator.Comm)}
	}
	return j
}
