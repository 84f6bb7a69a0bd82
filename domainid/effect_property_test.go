// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/access"
)

// objects are what rights are tried on: ports, or files below a root directory by
// their inode numbers. The last one is named by no rule.
const objects = 5

// above is the directory above the root directory: what a rule on it grants is
// granted everywhere.
const above = 100

// trueLayer is one layer of a world in which everything is known.
type trueLayer struct {
	handled access.Rights
	// files and ports have what rules grant by object, above what a rule on the
	// directory above grants, and everyPort what is granted on all ports but 0.
	files, ports     [objects]uint32
	above, everyPort uint32
}

func drawLayer(r *rand.Rand) trueLayer {
	few := func() uint32 { return r.Uint32() & r.Uint32() }
	l := trueLayer{handled: access.Rights{access.FS: few() & 0x11200f, access.Net: few() & 0x3,
		access.Scope: few() & 0x3}}
	if l.handled.Empty() {
		l.handled[access.FS] = 1
	}
	l.handled = access.Implied(l.handled, 7)
	if r.IntN(2) == 0 {
		l.above = l.handled[access.FS] & r.Uint32()
	}
	if r.IntN(3) == 0 {
		l.everyPort = l.handled[access.Net] & r.Uint32()
	}
	for i := range objects - 1 {
		if r.IntN(2) == 0 {
			l.files[i] = l.handled[access.FS] & r.Uint32()
		}
		if r.IntN(2) == 0 {
			l.ports[i] = l.handled[access.Net] & r.Uint32()
		}
	}
	return l
}

// grants reports whether a layer grants a right on an object.
func (l *trueLayer) grants(right access.Right, object int) bool {
	if !right.In(l.handled) {
		return true
	}
	var mask uint32
	switch right.Class {
	case access.FS:
		mask = l.above | l.files[object]
	case access.Net:
		mask = l.ports[object]
		if object != 0 {
			mask |= l.everyPort
		}
	}
	return mask>>right.Bit&1 != 0
}

// domain is what a source that reads everything has of a layer.
func (l *trueLayer) domain(i int) Domain {
	rs := &Ruleset{EveryPort: l.everyPort}
	for object := range objects {
		ports := l.ports[object]
		if object != 0 {
			ports |= l.everyPort
		}
		if ports != 0 {
			rs.Ports = append(rs.Ports, PortRule{uint16(object), ports})
		}
		if l.files[object] != 0 {
			rs.Inodes = append(rs.Inodes,
				InodeRule{Dev: 1, Ino: uint64(object), FS: l.files[object]})
		}
	}
	if l.above != 0 {
		rs.Inodes = append(rs.Inodes, InodeRule{Dev: 1, Ino: above, FS: l.above})
	}
	if l.everyPort != 0 {
		rs.PortsLeftOut = allPorts
	}
	rs.Rules = uint32(len(rs.Ports)+len(rs.Inodes)) + rs.PortsLeftOut
	return Domain{ID: ID(i + 1), Parent: int32(i) - 1, Depth: uint16(i + 1), Lineage: LineageKnown,
		Handled: l.handled, Ruleset: rs}
}

// forget takes knowledge from what a source has, and returns the view that is left
// and whether any was taken.
func forget(r *rand.Rand, host *Host, domains []Domain, views []View) (view int32, taken bool) {
	for i := range domains {
		d := &domains[i]
		rs := d.Ruleset
		switch r.IntN(8) {
		case 0: // its rules were not read
			d.Ruleset = nil
			taken = true
		case 1: // some are left out
			if n := len(rs.Inodes); n > 0 {
				rs.Inodes, rs.InodesLeftOut = rs.Inodes[:n-1], 1
				taken = true
			}
			if n := len(rs.Ports); n > 0 && rs.Ports[n-1].Port != 0 {
				rs.Ports, rs.PortsLeftOut = rs.Ports[:n-1], rs.PortsLeftOut+1
				taken = true
			}
		case 2: // what it handles was not read
			d.Handled, d.Ruleset = access.Rights{}, nil
			taken = true
		}
	}
	switch r.IntN(6) {
	case 0:
		return NoView, true
	case 1:
		views[0] = View{Domain: views[0].Domain, Doubt: RootTooDeep}
		taken = true
	case 2: // nothing is known of what is outside of one layer
		for i := range domains {
			domains[i].Lineage = LineageInferred
		}
		domains[r.IntN(len(domains))].Parent = Outermost
		return NoView, true
	case 3:
		host.RulesRead = false
		for i := range domains {
			domains[i].Ruleset = nil
		}
		return NoView, true
	}
	return 0, taken
}

// TestAllows: what is concluded of a right holds in the world that was looked at,
// however little of it is known, and agrees with what is restricted.
func TestAllows(t *testing.T) {
	var seen [4]int
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 5))
		var world []trueLayer
		var domains []Domain
		v := View{}
		var handled access.Rights
		for i := range 1 + r.IntN(3) {
			l := drawLayer(r)
			world = append(world, l)
			domains = append(domains, l.domain(i))
			domains[i].Rules = domains[i].Ruleset.Rules
			if i > 0 {
				domains[i].Rules += domains[i-1].Rules
			}
			v.Domain, v.Everywhere = int32(i), append(v.Everywhere, l.above)
			handled = handled.Union(l.handled)
		}
		has := handled.Union(access.Rights{access.FS: r.Uint32(), access.Net: r.Uint32(),
			access.Scope: r.Uint32()})
		host := Host{ABI: 7, RulesRead: true, Rights: access.Bounds{Sure: has, May: has}}
		denies := r.IntN(8) == 0 // what this kernel does all the same, as domains show
		if denies {
			host.Rights = access.Exactly(access.Supported(3))
		} else if r.IntN(4) == 0 {
			host.Rights.Sure = has.Intersect(access.Supported(3))
		}
		views := []View{v}
		view, taken := int32(0), false
		if !denies && r.IntN(4) != 0 {
			view, taken = forget(r, &host, domains, views)
		}
		m := NewMeaning(host, domains, views)
		task := m.Task(v.Domain, view, 0, false)
		for _, right := range append(access.All(),
			access.Of(access.Rights{access.FS: 1 << 20})...) {
			a := m.Allows(v.Domain, view, right)
			seen[a.Effect]++
			if restricts := task.Restricts.Of(right); host.RulesRead && !agree(restricts, a) {
				t.Fatalf("seed %d: %s is restricted: %v, but %+v", seed, right, restricts, a)
			}
			if !taken && (a.Effect == EffectUnknown || a.Doubt != 0 ||
				a.MorePorts && !leftOut(domains)) {
				t.Fatalf("seed %d: all is known, but of %s: %+v", seed, right, a)
			}
			if a.Effect == EffectUnknown && a.Doubt == 0 {
				t.Fatalf("seed %d: %s is not known for no reason", seed, right)
			}
			for object := range objects {
				if right.Class == access.Net && object == 0 && !bindsPort(right) {
					continue // none to connect to
				}
				truth := true
				for i := range world {
					truth = truth && world[i].grants(right, object)
				}
				if sure, perhaps := says(&a, right, object); sure && !truth || truth && !perhaps {
					t.Fatalf("seed %d: %s on %d: %v, but it says %+v", seed, right, object, truth,
						a)
				}
			}
		}
	}
	for effect, n := range seen {
		if n < 1000 {
			t.Errorf("%v was said %d times: this says little", Effect(effect), n)
		}
	}
}

// leftOut reports whether there are too many rules on ports to keep them.
func leftOut(domains []Domain) bool {
	return slices.ContainsFunc(domains, func(d Domain) bool { return d.Ruleset.PortsLeftOut > 0 })
}

// agree reports whether where a right is allowed agrees with whether it is restricted.
func agree(restricts access.Answer, a Allowed) bool {
	switch restricts {
	case access.Yes:
		return a.Effect == Limited || a.Effect == Nowhere
	case access.No:
		return a.Effect == Everywhere
	default:
		return a.Effect == EffectUnknown || a.Reason == KernelCannot
	}
}

// says reports whether a right is said to be allowed on an object for certain, and
// perhaps.
func says(a *Allowed, right access.Right, object int) (sure, perhaps bool) {
	switch a.Effect {
	case Everywhere:
		sure = right.Class != access.Net || object != 0 || !a.ButZero
		return sure, sure
	case Nowhere:
		return false, false
	case Limited:
		if right.Class == access.Net {
			sure = slices.Contains(a.Ports, uint16(object))
			return sure && a.Doubt == 0, sure || a.MorePorts
		}
		sure, perhaps = true, true
		for _, l := range a.Limits {
			named := slices.ContainsFunc(l.Files,
				func(f InodeRule) bool { return f.Ino == uint64(object) || f.Ino == above })
			sure, perhaps = sure && named, perhaps && (named || l.More)
		}
		return sure && a.Doubt == 0, perhaps
	default:
		return false, true
	}
}
