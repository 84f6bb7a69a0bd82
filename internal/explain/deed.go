// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"reflect"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// May is where something may be done.
type May uint8

const (
	// Unknown: it could not be told.
	Unknown May = iota
	// Everywhere, on every port, to everybody.
	Everywhere
	// Limited: where rules grant it.
	Limited
	// Nowhere.
	Nowhere
)

func (m May) String() string { return [...]string{"unknown", "everywhere", "limited", "nowhere"}[m&3] }

// MarshalText encodes the word.
func (m May) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Why is the reason for a May.
type Why uint8

const (
	// Restricted: by some layer. The reason for Limited and Nowhere.
	Restricted Why = iota
	// KernelCannot: this kernel can restrict it to nobody.
	KernelCannot
	// SandboxDoesNot: no layer handles it.
	SandboxDoesNot
	// RulesGrant: a layer handles it, but rules grant it everywhere.
	RulesGrant
	// RulesUnread: a layer handles it, but its rules are not known.
	RulesUnread
	// LayersUnknown: not all layers are known, and none of those that are
	// restricts it.
	LayersUnknown
)

func (w Why) String() string {
	return [...]string{"restricted", "kernel_cannot", "sandbox_does_not", "rules_grant", "rules_unread", "layers_unknown"}[w]
}

// MarshalText encodes the word.
func (w Why) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Deed is what tasks in one sandbox may do of some rights, which are alike in
// that.
type Deed struct {
	Rights []access.Right
	May    May
	Why    Why
	// Limits are the layers that restrict it, the outermost first: all of them
	// must grant it. Layers that grant the same stand there once.
	Limits []Limit
	// Ports are those that all limits grant, ascending; of rights on ports.
	Ports []uint16
	// More says that there are rules that are not known: more may be granted.
	More bool
}

// Limit is what one layer grants of the deed's rights.
type Limit struct {
	// Depth is that of the domain whose own layer it is.
	Depth int
	Files []domainid.InodeRule
}

// deedsOf says what tasks in a domain may do, by class and bit of the rights.
// alone: what is known of the process is of this domain.
func deedsOf(s *scan.Snapshot, p *scan.Process, domain int32, alone bool) []Deed {
	chain := slices.Collect(domainid.Chain(s.Domains, domain))
	slices.Reverse(chain)
	rights := append(access.All(), access.Of(unnamed(domainid.Handled(s.Domains, domain)))...)
	var deeds []Deed
	for _, r := range rights {
		d := deedOf(s, p, chain, r, alone)
		// Files are listed in order of the device and the number: the same rules
		// in another layer are equal.
		if i := slices.IndexFunc(deeds, func(o Deed) bool { return sameDeed(&o, &d) }); i >= 0 {
			deeds[i].Rights = append(deeds[i].Rights, r)
			continue
		}
		deeds = append(deeds, d)
	}
	return deeds
}

// unnamed returns the rights that the table does not have.
func unnamed(r access.Rights) access.Rights {
	var named access.Rights
	for _, right := range access.All() {
		named = named.Union(right.Rights())
	}
	return r.Without(named)
}

// sameDeed says whether what holds for one right holds for another, so that they
// can be told together. Only rights to files are.
func sameDeed(a, b *Deed) bool {
	if a.Rights[0].Class != access.FS || b.Rights[0].Class != access.FS || apart(a) || apart(b) {
		return false
	}
	x, y := *a, *b
	x.Rights, y.Rights = nil, nil
	return reflect.DeepEqual(x, y)
}

// apart says whether a deed is told in words of its own.
func apart(d *Deed) bool { return d.Rights[0].Name == resolveUnix }

const (
	resolveUnix  = "fs.resolve_unix"
	abstractUnix = "scope.abstract_unix_socket"
)

func deedOf(s *scan.Snapshot, p *scan.Process, chain []int32, r access.Right, alone bool) Deed {
	d := Deed{Rights: []access.Right{r}}
	handled, complete := false, completeChain(s, chain)
	for _, i := range chain {
		handled = handled || r.In(s.Domains[i].Handled)
	}
	switch {
	case !handled && r.ABI > s.Kernel.ABI:
		d.May, d.Why = Everywhere, KernelCannot
	case !handled && !complete:
		d.Why = LayersUnknown
	case !handled:
		d.May, d.Why = Everywhere, SandboxDoesNot
	case r.Class == access.Scope: // no rule can grant it
		d.May = Nowhere
	case !rulesRead(s, chain) || alone && p.RulesUnread:
		d.Why = RulesUnread
	case alone && !r.In(p.Restricted) && complete:
		// Even if the domain's own rules, which may have been read through a
		// process with another root directory, seem to say otherwise.
		d.May, d.Why = Everywhere, RulesGrant
	default:
		d.limit(s, chain, r, alone)
		if d.May == Everywhere && !complete {
			d.May, d.Why = Unknown, LayersUnknown
		}
	}
	return d
}

func completeChain(s *scan.Snapshot, chain []int32) bool {
	if len(chain) == 0 || int(s.Domains[chain[len(chain)-1]].Depth) != len(chain) {
		return false
	}
	for _, i := range chain {
		// No kernel makes a layer that handles nothing.
		if d := &s.Domains[i]; d.Lineage != domainid.LineageKnown || d.Handled == (access.Rights{}) {
			return false
		}
	}
	return true
}

func rulesRead(s *scan.Snapshot, chain []int32) bool {
	return !slices.ContainsFunc(chain, func(i int32) bool {
		return s.Domains[i].Handled != (access.Rights{}) && s.Domains[i].Ruleset == nil
	})
}

// limit fills in what the layers that restrict a right grant of it.
func (d *Deed) limit(s *scan.Snapshot, chain []int32, r access.Right, alone bool) {
	first := true
	nothing := false
	for _, i := range chain {
		layer := &s.Domains[i]
		if !r.In(layer.Handled) || r.In(layer.Ruleset.Everywhere) && !(alone && r.Class == access.FS && d.elsewhere(s, chain, r)) {
			continue
		}
		l := Limit{Depth: int(layer.Depth)}
		if r.Class == access.Net {
			ports, more := grantedPorts(layer.Ruleset, r)
			if first {
				d.Ports = ports
			} else {
				d.Ports = slices.DeleteFunc(d.Ports, func(port uint16) bool { return !slices.Contains(ports, port) && !more })
			}
			d.More = d.More || more
			nothing = nothing || len(ports) == 0 && !more
		} else {
			for _, rule := range layer.Ruleset.Inodes {
				if r.Rights()[access.FS]&rule.FS != 0 {
					l.Files = append(l.Files, domainid.InodeRule{Dev: rule.Dev, Ino: rule.Ino, FSRoot: rule.FSRoot})
				}
			}
			more := layer.Ruleset.InodesLeftOut > 0
			d.More = d.More || more
			nothing = nothing || len(l.Files) == 0 && !more
			if !slices.ContainsFunc(d.Limits, func(o Limit) bool { return slices.Equal(o.Files, l.Files) }) {
				d.Limits = append(d.Limits, l)
			}
		}
		first = false
	}
	switch {
	case first:
		d.May, d.Why = Everywhere, RulesGrant
	case nothing, r.Class == access.Net && len(d.Ports) == 0 && !d.More:
		d.May, d.Limits, d.Ports, d.More = Nowhere, nil, nil, false
	default:
		d.May = Limited
	}
}

// elsewhere says that each layer that handles a right seems to grant it
// everywhere, to a process that is known to restrict it: its root directory is
// another one than that through which the rules were read.
func (d *Deed) elsewhere(s *scan.Snapshot, chain []int32, r access.Right) bool {
	for _, i := range chain {
		if l := &s.Domains[i]; r.In(l.Handled) && !r.In(l.Ruleset.Everywhere) {
			return false
		}
	}
	return true
}

// grantedPorts returns the ports on which a layer grants a right, and whether
// there are more that are not known.
func grantedPorts(rs *domainid.Ruleset, r access.Right) (ports []uint16, more bool) {
	for _, p := range rs.Ports {
		if p.Net&r.Rights()[access.Net] != 0 {
			ports = append(ports, p.Port)
		}
	}
	return ports, rs.PortsLeftOut > 0
}
