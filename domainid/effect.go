// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/enum"
)

// Effect is where something may be done, as far as Landlock goes.
type Effect uint8

const (
	// EffectUnknown: it is not known.
	EffectUnknown Effect = iota
	// Everywhere, on every port, to everybody.
	Everywhere
	// Limited: where rules grant it.
	Limited
	// Nowhere.
	Nowhere
)

var effects = enum.Words[Effect]{"unknown", "everywhere", "limited", "nowhere"}

func (e Effect) String() string { return effects.Of(e) }

// MarshalText encodes the word.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Reason is why an Effect is what it is.
type Reason uint8

const (
	// Restricted: by some layer. The reason for Limited and Nowhere.
	Restricted Reason = iota
	// KernelCannot: this kernel can restrict it to nobody.
	KernelCannot
	// NotHandled: no layer handles it.
	NotHandled
	// RulesGrant: a layer handles it, but rules grant it everywhere.
	RulesGrant
	// NotKnown: for the reasons in Doubt.
	NotKnown
)

var reasons = enum.Words[Reason]{
	"restricted", "kernel_cannot", "sandbox_does_not", "rules_grant", "not_known",
}

func (r Reason) String() string { return reasons.Of(r) }

// MarshalText encodes the word.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Allowed is where tasks may do what a right is about, as far as Landlock goes.
type Allowed struct {
	Effect Effect
	Reason Reason
	// Limits are the layers that limit a right to files, or may, the outermost
	// first: all of them must grant it. Layers that grant the same stand there once.
	Limits []Limit
	// Ports are those on which all layers grant a right to ports, ascending, and
	// Effect is Limited. To bind port 0 is to bind one that the kernel picks.
	Ports []uint16
	// MorePorts: there may be ports beside Ports.
	MorePorts bool
	// ButZero: Everywhere, but not on port 0.
	ButZero bool
	// Doubt is why Effect is EffectUnknown; where it is Limited, why still less may
	// be allowed.
	Doubt Doubt
}

// Limit is what one layer grants of a right to files.
type Limit struct {
	// Depth is that of the domain whose own layer it is.
	Depth int
	// Files are what its rules are on; FS is 0 in each.
	Files []InodeRule
	// More: it may grant the right on files beside these.
	More bool
}

// rootDoubts are the reasons that are about root directories, and so about rights
// to files alone.
const rootDoubts = RootChanging | RootTooDeep | RootDetached

// Allows returns where tasks with a view of a domain, or NoView, may do what a
// right is about. domain is Outermost if it is not known which one they are in.
func (m *Meaning) Allows(domain, view int32, r access.Right) Allowed {
	s := m.Task(domain, view, 0, false)
	handles, restricts, by := s.Handles.Of(r), s.Restricts.Of(r), r.Class.GrantedBy()
	doubt := s.Doubt &^ ClassUnknown
	if by != access.ByPath {
		doubt &^= rootDoubts
	}
	switch {
	case handles != access.Yes && m.host.Rights.Of(r) == access.No:
		return Allowed{Effect: Everywhere, Reason: KernelCannot}
	case handles == access.No:
		return Allowed{Effect: Everywhere, Reason: NotHandled}
	case restricts == access.No:
		return Allowed{Effect: Everywhere, Reason: RulesGrant, ButZero: m.barsZero(domain, view, r)}
	case restricts == access.Unknown:
		return Allowed{Reason: NotKnown, Doubt: doubt}
	case by == access.ByNone:
		return Allowed{Effect: Nowhere}
	case !m.host.RulesRead:
		return Allowed{Reason: NotKnown, Doubt: doubt | RulesUnread}
	case by == access.ByPort:
		return m.onPorts(m.Layers(domain, view), r, doubt&LayersUnknown)
	default:
		return m.onFiles(m.Layers(domain, view), r, doubt&LayersUnknown)
	}
}

// onFiles returns where layers, of which one restricts a right to files, allow it.
func (m *Meaning) onFiles(layers []Layer, r access.Right, doubt Doubt) Allowed {
	a := Allowed{Effect: Limited, Doubt: doubt}
	for i := range layers {
		restricts := layers[i].Restricts.Of(r)
		if restricts == access.No {
			continue
		}
		d := &m.domains[layers[i].Domain]
		l := Limit{Depth: int(d.Depth)}
		l.More = restricts != access.Yes || d.Ruleset == nil || d.Ruleset.InodesLeftOut > 0
		if d.Ruleset != nil {
			for _, rule := range d.Ruleset.Inodes {
				if rule.FS>>r.Bit&1 != 0 {
					rule.FS = 0
					l.Files = append(l.Files, rule)
				}
			}
		}
		if len(l.Files) == 0 && !l.More {
			return Allowed{Effect: Nowhere}
		}
		same := func(o Limit) bool { return l.More == o.More && slices.Equal(l.Files, o.Files) }
		if !slices.ContainsFunc(a.Limits, same) {
			a.Limits = append(a.Limits, l)
		}
	}
	return a
}

// onPorts returns where layers, of which one restricts a right to ports, allow it.
func (m *Meaning) onPorts(layers []Layer, r access.Right, doubt Doubt) Allowed {
	a := Allowed{Effect: Limited, Doubt: doubt, MorePorts: true}
	var named []uint16
	for i := range layers {
		rs := m.domains[layers[i].Domain].Ruleset
		if rs == nil {
			continue
		}
		for _, p := range rs.Ports {
			named = append(named, p.Port)
		}
		if rs.PortsLeftOut == 0 && layers[i].Restricts.Of(r) == access.Yes {
			a.MorePorts = false // all that it grants is named
		}
	}
	slices.Sort(named)
	for _, port := range slices.Compact(named) {
		if port == 0 && !bindsPort(r) {
			continue
		}
		switch m.onPort(layers, r, port) {
		case access.Yes:
			a.Ports = append(a.Ports, port)
		case access.Unknown:
			a.MorePorts = true
		}
	}
	if len(a.Ports) == 0 && !a.MorePorts {
		return Allowed{Effect: Nowhere}
	}
	return a
}

// onPort reports whether all of some layers grant a right on a port.
func (m *Meaning) onPort(layers []Layer, r access.Right, port uint16) access.Answer {
	all := access.Yes
	for i := range layers {
		all = all.And(m.grantsPort(&layers[i], r, port))
	}
	return all
}

// grantsPort reports whether one layer does.
func (m *Meaning) grantsPort(l *Layer, r access.Right, port uint16) access.Answer {
	rs := m.domains[l.Domain].Ruleset
	switch {
	case l.Handles.Of(r) == access.No:
		return access.Yes
	case rs == nil:
		return access.Unknown
	case port != 0 && rs.EveryPort>>r.Bit&1 != 0:
		return access.Yes
	}
	i, found := slices.BinarySearchFunc(rs.Ports, port,
		func(p PortRule, port uint16) int { return int(p.Port) - int(port) })
	granted := found && rs.Ports[i].Net>>r.Bit&1 != 0
	return access.Between(granted, !found && port != 0 && rs.PortsLeftOut > 0)
}

// barsZero reports whether a right that is granted on every port but 0 is not
// granted on 0, where that is an access of its own.
func (m *Meaning) barsZero(domain, view int32, r access.Right) bool {
	return bindsPort(r) && m.onPort(m.Layers(domain, view), r, 0) != access.Yes
}

// bindsPort reports whether a right is about a port of one's own, of which 0
// stands for one that the kernel picks. To connect to, 0 is no port.
func bindsPort(r access.Right) bool { return strings.HasPrefix(r.Name, "net.bind_") }
