// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"slices"

	"github.com/landlockd/landlockd/access"
)

// allPorts is the number of ports but 0, which is none to connect to.
const allPorts = 65535

// Layer is what one layer of a task's sandbox comes to.
type Layer struct {
	// Domain is the index of the domain whose own layer it is.
	Domain int32
	// Handles are the rights that it names, and Restricts those of them that its
	// rules grant neither everywhere nor, for ports, without limit.
	Handles, Restricts access.Bounds
	Doubt              Doubt
}

// Layers returns what each layer of a domain comes to for tasks with a view of
// it, or NoView: the outermost that is known first.
func (m *Meaning) Layers(domain, view int32) []Layer {
	if domain < 0 || int(domain) >= len(m.domains) {
		return nil
	}
	var layers []Layer
	for i := range Chain(m.domains, domain) {
		layers = append(layers, m.layer(i, m.viewOf(domain, view), m.domains[domain].Rules))
	}
	slices.Reverse(layers)
	return layers
}

// layer concludes what the own layer of a domain comes to for a task with a view
// of that domain or of one nested in it. rules is the number of rules that all
// layers of the task's domain have together.
func (m *Meaning) layer(i int32, v *View, rules uint32) Layer {
	d := &m.domains[i]
	l := Layer{Domain: i}
	if d.Handled.Empty() && !d.HandlesOther {
		// No kernel makes a layer that handles nothing: it is not known what.
		l.Handles, l.Restricts, l.Doubt = access.Anything(), access.Anything(), LayersUnknown
		return l
	}
	handled := access.Implied(d.Handled, m.host.ABI)
	l.Handles, l.Restricts = access.Exactly(handled), access.Exactly(handled)
	if d.HandlesOther {
		l.Doubt |= ClassUnknown
	}
	if !m.host.RulesRead {
		return l
	}
	for c := range access.NumClasses {
		if handled[c] == 0 {
			continue
		}
		granted, doubt := uint32(0), Doubt(0)
		switch c.GrantedBy() {
		case access.ByPath:
			granted, doubt = v.grants(d)
		case access.ByPort:
			granted, doubt = d.everyPort(min(rules, d.Rules))
		}
		if doubt != 0 {
			l.Restricts.Sure[c] = 0
			l.Doubt |= doubt
			continue
		}
		l.Restricts.Sure[c] &^= granted
		l.Restricts.May[c] &^= granted
	}
	return l
}

// grants returns what the own layer of a domain grants everywhere, or why that is
// not known.
func (v *View) grants(d *Domain) (uint32, Doubt) {
	switch {
	case v == nil:
		return 0, RulesUnread
	case v.Doubt != 0:
		return 0, v.Doubt
	case d.Lineage != LineageKnown:
		return 0, LayersUnknown // which layer of the view it is
	}
	if at := int(max(1, d.Depth)) - 1; at < len(v.Everywhere) {
		return v.Everywhere[at], 0
	}
	return 0, 0
}

// everyPort returns what the domain's own layer grants on every port, or why
// that is not known: fewer rules than ports grant nothing on all of them.
func (d *Domain) everyPort(rules uint32) (uint32, Doubt) {
	switch {
	case d.Ruleset != nil:
		return d.Ruleset.EveryPort, 0
	case rules < allPorts:
		return 0, 0
	default:
		return 0, RulesUnread
	}
}
