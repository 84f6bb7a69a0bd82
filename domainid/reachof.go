// SPDX-License-Identifier: Apache-2.0

package domainid

import "github.com/landlockd/landlockd/access"

// prober concludes of what is in reach of tasks in one domain.
type prober struct {
	m      *Meaning
	layers []Layer
	// handles are the rights that some layer handles.
	handles access.Bounds
	// whole: layers are all. vague: a layer handles rights of a class without a name, which
	// may restrict anything.
	whole, vague bool
	anything     Place
}

// conclusions concludes of all assets.
func (m *Meaning) conclusions(domain, scene int32) (all [MaxAssets]Reached) {
	means := m.Task(domain, NoView, 0, false)
	p := prober{
		m: m, layers: m.Layers(domain, NoView), handles: means.Handles,
		vague: means.Doubt.Has(ClassUnknown),
	}
	anything := FileRights{May: access.Every()[access.FS]}
	p.anything = Place{Denied: anything, Below: anything, Doubt: WaysUnread}
	p.whole = len(p.layers) > 0 && Whole(m.domains, domain)
	for i := range all {
		all[i].Object = -1
	}
	for i := range m.assets.Assets {
		a := &m.assets.Assets[i]
		for _, port := range a.TCP {
			if a.Connect {
				all[i].Add(p.port(tcp.connect, port))
			}
			if a.Bind {
				all[i].Add(p.port(tcp.bind, port))
			}
		}
		if a.Signal {
			all[i].Add(p.scope(scopes.signal))
		}
		if a.AbstractUnix {
			all[i].Add(p.scope(scopes.abstractUnix))
		}
	}
	p.objects(m.scene(domain, scene), &all)
	for i := range m.assets.Assets {
		if r := &all[i]; p.vague && r.Reach == WithinReach {
			r.Reach, r.Reason, r.Doubt = ReachUnknown, NotKnown, r.Doubt|ClassUnknown
		}
	}
	return all
}

// objects concludes of all assets with paths.
func (p *prober) objects(scene *Scene, all *[MaxAssets]Reached) {
	var looked [MaxAssets]bool
	objects := p.m.assets.Objects
	for i := range objects {
		o := &objects[i]
		n := int(o.Asset)
		if n < 0 || n >= len(p.m.assets.Assets) { // no more than the parent of another one
			continue
		}
		looked[n] = true
		switch o.Kind {
		case ObjectAbsent:
			continue
		case ObjectUnreadable:
			all[n].Add(Reached{Reach: ReachUnknown, Reason: NotKnown, Object: int32(i), Doubt: AssetUnread})
			continue
		}
		of, parent := asked(&p.m.assets.Assets[n], o.Kind)
		p.addFiles(&all[n], int32(i), of, p.place(scene, int32(i)))
		if o.Parent >= 0 && parent != 0 {
			p.addFiles(&all[n], o.Parent, parent, p.place(scene, o.Parent))
		}
	}
	for i := range p.m.assets.Assets {
		a := &p.m.assets.Assets[i]
		if !looked[i] && len(a.Paths)+len(a.Unix) > 0 {
			all[i].Add(Reached{Reach: ReachUnknown, Reason: NotKnown, Object: -1, Doubt: AssetUnread})
		}
	}
}

// place returns what is denied on an object. Without a scene that is anything: there may be no
// way to it.
func (p *prober) place(scene *Scene, object int32) *Place {
	if scene != nil && int(object) < len(scene.Places) {
		return &scene.Places[object]
	}
	return &p.anything
}

// addFiles takes what is concluded of rights to one object and all that is below it.
func (p *prober) addFiles(r *Reached, object int32, asked uint32, at *Place) {
	if p.m.host.ABI < 2 {
		asked &^= access.Refer // every layer denies it, and no rule grants it
	}
	sure := at.Denied.Sure & at.Below.Sure
	switch {
	case r.rank() == rankOpen: // nothing is worse
	case asked&^sure == 0 && asked&p.m.passed == 0: // mostly
		if r.Reach == Absent {
			r.Reach, r.Reason = OutOfReach, Restricted
		}
	default:
		r.Add(p.files(object, asked, at))
	}
}

// files concludes of rights to one object and all that is below it.
func (p *prober) files(object int32, asked uint32, at *Place) Reached {
	sure, may := at.Denied.Sure&at.Below.Sure, at.Denied.May&at.Below.May
	// Where no way leads to the object all is denied, also what nothing on this kernel restricts.
	cannot := asked &^ may &^ p.m.host.Rights.May[access.FS]
	granted := asked &^ may &^ cannot
	r := Reached{Reach: OutOfReach, Reason: Restricted, Object: -1}
	if part := asked & may &^ sure; part != 0 {
		r.Add(Reached{Reach: ReachUnknown, Reason: NotKnown, Rights: access.FS.Rights(part),
			Object: object, Doubt: at.Doubt})
	}
	r.Add(p.past(Reached{Rights: access.FS.Rights(asked & sure), Object: object}))
	if cannot != 0 {
		r.Add(Reached{Reach: WithinReach, Reason: KernelCannot, Rights: access.FS.Rights(cannot),
			Object: object})
	}
	if granted != 0 {
		rights, reason := access.FS.Rights(granted), NotHandled
		if some := rights.Intersect(p.handles.May); !some.Empty() {
			rights, reason = some, RulesGrant
		}
		r.Add(Reached{Reach: WithinReach, Reason: reason, Rights: rights, Object: object})
	}
	return r
}

// port concludes of a right to a port.
func (p *prober) port(right access.Right, port uint16) Reached {
	r := Reached{Rights: right.Rights(), Object: -1, Port: port}
	granted := p.m.onPort(p.layers, right, port)
	switch {
	case granted == access.No:
		picked := bindsPort(right) && port >= firstPicked &&
			p.m.onPort(p.layers, right, 0) != access.No
		if r = p.past(r); r.Reach == OutOfReach && picked {
			r = Reached{Reach: ReachUnknown, Reason: NotKnown, Rights: right.Rights(), Object: -1,
				Port: port, Doubt: PortPicked}
		}
		return r
	case !p.whole && p.unhandled(right) != KernelCannot:
		r.Reach, r.Reason, r.Doubt = ReachUnknown, NotKnown, LayersUnknown
	case granted == access.Unknown:
		r.Reach, r.Reason, r.Doubt = ReachUnknown, NotKnown, RulesUnread
	case p.handles.Of(right) == access.Yes:
		r.Reach, r.Reason = WithinReach, RulesGrant
	default:
		r.Reach, r.Reason = WithinReach, p.unhandled(right)
	}
	return r
}

// firstPicked is the lowest port that the kernel may pick for who binds port 0:
// net.ipv4.ip_local_port_range begins behind the ports that need a privilege.
const firstPicked = 1024

// scope concludes of a right that no rule can grant.
func (p *prober) scope(right access.Right) Reached {
	r := Reached{Rights: right.Rights(), Object: -1}
	switch handles := p.handles.Of(right); {
	case handles == access.Yes:
		return p.past(r)
	case handles == access.No || p.unhandled(right) == KernelCannot:
		r.Reach, r.Reason = WithinReach, p.unhandled(right)
	default:
		r.Reach, r.Reason, r.Doubt = ReachUnknown, NotKnown, LayersUnknown
	}
	return r
}

// unhandled returns why no layer handles a right.
func (p *prober) unhandled(right access.Right) Reason {
	if p.m.host.Rights.Of(right) == access.No {
		return KernelCannot
	}
	return NotHandled
}

// past concludes of rights that are denied: the kernel may leave a way past one of them open.
func (p *prober) past(r Reached) Reached {
	host := &p.m.host
	open, perhaps := p.m.past(r.Rights, host.Ways), p.m.past(r.Rights, host.WaysUnknown)
	switch {
	case open != 0:
		r.Reach, r.Reason, r.Ways = WithinReach, KernelCannot, open
	case perhaps != 0:
		r.Reach, r.Reason, r.Ways, r.Doubt = ReachUnknown, NotKnown, perhaps, WayUnknown
	default:
		return Reached{Reach: OutOfReach, Reason: Restricted, Object: -1}
	}
	return r
}

// past returns those of some ways that lead past one of some rights.
func (m *Meaning) past(rights access.Rights, ways access.Ways) (past access.Ways) {
	for i := range m.ways {
		if w := &m.ways[i]; ways.Has(w.Ways()) && w.Right.In(rights) {
			past |= w.Ways()
		}
	}
	return past
}
