// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"math"

	"github.com/landlockd/landlockd/access"
)

// Sandbox is what being in a domain means: for one task, or for all tasks of a
// process that are in one, which together may do what any of them may. It is a
// value: equal sandboxes mean the same.
type Sandbox struct {
	// The shallowest task is at least at Depth and at most at MostDepth, which
	// is AnyDepth where there is no bound. They are equal where depth is known.
	Depth, MostDepth uint16
	// Deepest is the depth of the deepest task, a lower bound unless Exact.
	Deepest uint16
	// Exact: the depth of every task is known.
	Exact bool
	// Handles are the rights that some layer of each task names.
	Handles access.Bounds
	// Restricts are those that some layer of each task handles and grants neither
	// everywhere nor, for ports, without limit.
	Restricts access.Bounds
	// Doubt is why something of this is unknown; 0 if nothing is.
	Doubt Doubt
	// Reach is which assets they are kept from, where that was asked for. It has a doubt of
	// its own.
	Reach Reaches
}

// AnyDepth stands for a depth without an upper bound.
const AnyDepth = math.MaxUint16

// Effective reports whether the sandbox restricts any right at all.
func (s *Sandbox) Effective() access.Answer {
	return s.Restricts.Some().Or(access.Between(false, s.Doubt.Has(ClassUnknown)))
}

// DeniesMounts reports whether the kernel denies each task to mount, to unmount and to change
// its root mount, whatever rules say: it does where a layer handles a right to files.
func (s *Sandbox) DeniesMounts() access.Answer {
	return access.Between(s.Handles.Sure[access.FS] != 0, s.Handles.May[access.FS] != 0)
}

// And returns the sandbox of tasks in s and in o together.
func (s Sandbox) And(o Sandbox) Sandbox {
	both := Sandbox{
		Depth: min(s.Depth, o.Depth), MostDepth: min(s.MostDepth, o.MostDepth),
		Deepest: max(s.Deepest, o.Deepest), Exact: s.Exact && o.Exact,
		Handles: s.Handles.Intersect(o.Handles), Restricts: s.Restricts.Intersect(o.Restricts),
		Doubt: s.Doubt | o.Doubt, Reach: s.Reach.And(o.Reach),
	}
	both.settle()
	return both
}

// settle drops the doubts that came to nothing: what one layer or task leaves
// open, another can settle.
func (s *Sandbox) settle() {
	if !s.Handles.Unknown().Empty() || !s.Restricts.Unknown().Empty() {
		return
	}
	stays := ClassUnknown
	if !s.Exact {
		stays |= LayersUnknown
	}
	s.Doubt &= stays
}

// sandboxAt is that of a task in a domain of a depth, which is a lower bound, or exact.
func sandboxAt(depth uint16, exact bool) Sandbox {
	depth = max(1, depth)
	s := Sandbox{Depth: depth, MostDepth: AnyDepth, Deepest: depth, Exact: exact}
	if exact {
		s.MostDepth = s.Depth
	}
	return s
}

// Host is what meaning depends on beside domains and their views.
type Host struct {
	// ABI is the kernel's version of the Landlock interface.
	ABI int
	// RulesRead: the rules of domains are read on this host. Where they are not,
	// what is handled stands in for what is restricted.
	RulesRead bool
	// Rights are those that the kernel can restrict.
	Rights access.Bounds
	// Ways are those past a right that are open on the kernel, and WaysUnknown those of
	// which that is not known.
	Ways, WaysUnknown access.Ways
}

// Meaning concludes what domains mean for the tasks in them. This is the one
// place where that is concluded. It is not safe for concurrent use.
type Meaning struct {
	host    Host
	domains []Domain
	views   []View
	// concluded are the sandboxes of domains without a view, and then those of views, as
	// far as they were asked for: others have no Depth.
	concluded []Sandbox

	assets Assets
	// reaches are those of a domain that is not known, of domains without a scene, and then
	// of scenes, as far as they were asked for, which is in reached.
	reaches []Reaches
	reached []bool
	ways    []access.Way
	// passed are the rights to files past which a way is open, or may be.
	passed uint32
}

// NewMeaning returns the meaning of domains, of which a parent stands before its
// children, and of views of them. It keeps both.
func NewMeaning(host Host, domains []Domain, views []View) *Meaning {
	return &Meaning{host: host, domains: domains, views: views}
}

// WithAssets returns the meaning, for assets too. It keeps them.
func (m *Meaning) WithAssets(assets Assets) *Meaning {
	assets.Assets = assets.Assets[:min(len(assets.Assets), MaxAssets)]
	m.assets, m.ways = assets, (m.host.Ways | m.host.WaysUnknown).All()
	for i := range m.ways {
		m.passed |= m.ways[i].Right.Rights()[access.FS]
	}
	return m
}

// Task returns what being in a domain means for a task. domain and view are
// indices; domain is Outermost if it is not known which one it is in, and view is
// NoView if it is not known what its rules grant. depth is that of a task whose
// domain is not known: a lower bound, unless exact.
func (m *Meaning) Task(domain, view int32, depth uint16, exact bool) Sandbox {
	if domain < 0 || int(domain) >= len(m.domains) {
		s := sandboxAt(depth, exact)
		s.Handles, s.Restricts, s.Doubt = access.Anything(), access.Anything(), LayersUnknown
		return s
	}
	if m.concluded == nil {
		m.concluded = make([]Sandbox, len(m.domains)+len(m.views))
	}
	v, at := m.viewOf(domain, view), int(domain)
	if v != nil {
		at = len(m.domains) + int(view)
	}
	s := &m.concluded[at]
	if s.Depth == 0 {
		*s = m.conclude(domain, v)
	}
	return *s
}

// Handling returns what being in domains meant for tasks of which no more is known than that
// each handled some rights, and how deep the shallowest was; 0 if that is not known, either.
func (m *Meaning) Handling(depth uint16, handled access.Rights) Sandbox {
	s := sandboxAt(depth, false)
	if depth > 0 {
		s.MostDepth = depth
	}
	if handled.Empty() { // a right that has no name here, or another one in each task
		s.Handles, s.Restricts = access.Anything(), access.Anything()
		s.Doubt = LayersUnknown | RulesUnread
		return s
	}
	s.Handles = access.Exactly(access.Implied(handled, m.host.ABI))
	s.Restricts = s.Handles
	for c := range access.NumClasses {
		if m.host.RulesRead && c.GrantedBy() != access.ByNone {
			s.Restricts.Sure[c] = 0
		}
	}
	if s.Restricts.Sure != s.Restricts.May {
		s.Doubt = RulesUnread
	}
	return s
}

// viewOf returns a view of a domain, or nil if it is none.
func (m *Meaning) viewOf(domain, view int32) *View {
	if view < 0 || int(view) >= len(m.views) || m.views[view].Domain != domain {
		return nil
	}
	return &m.views[view]
}

// conclude puts together what the layers of a domain come to.
func (m *Meaning) conclude(domain int32, v *View) Sandbox {
	d := &m.domains[domain]
	s := sandboxAt(d.Depth, d.Lineage == LineageKnown)
	for i := range Chain(m.domains, domain) {
		l := m.layer(i, v, d.Rules)
		s.Handles, s.Restricts = s.Handles.Union(l.Handles), s.Restricts.Union(l.Restricts)
		s.Doubt |= l.Doubt
	}
	if !Whole(m.domains, domain) {
		// There may be layers outside of those that are known.
		s.Handles.May, s.Restricts.May = access.Every(), access.Every()
		s.Doubt |= LayersUnknown
	}
	s.settle()
	return s
}
