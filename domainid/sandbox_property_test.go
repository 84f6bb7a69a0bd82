// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/landlockd/landlockd/access"
)

// world is a host of which everything is true, and what a source saw of it.
type world struct {
	host Host
	// domains and views are as they are: nothing of them is hidden. other[i] is
	// whether the own layer of domain i restricts a right of a class that this
	// program does not know.
	domains []Domain
	views   []View
	other   []bool
	// seen and seenViews are what is left of them.
	seen      []Domain
	seenViews []View
}

// truth is what being in a domain really means.
type truth struct {
	depth, deepest      uint16
	handles, restricts  access.Rights
	handlesOther, other bool
}

// and returns the truth of two tasks together.
func (t truth) and(o truth) truth {
	return truth{
		min(t.depth, o.depth), max(t.deepest, o.deepest), t.handles.Intersect(o.handles),
		t.restricts.Intersect(o.restricts),
		t.handlesOther || o.handlesOther, t.other && o.other,
	}
}

// chain returns the domains that a domain is nested in, the outermost first, and itself.
func (w *world) chain(domain int32) []int32 {
	if domain < 0 {
		return nil
	}
	return append(w.chain(w.domains[domain].Parent), domain)
}

// layer returns what the layer at a depth of a domain means for tasks with a view.
func (w *world) layer(domain int32, v *View) truth {
	d := &w.domains[domain]
	t := truth{handles: access.Implied(d.Handled, w.host.ABI), handlesOther: d.HandlesOther,
		other: w.other[domain]}
	t.restricts = t.handles
	if w.host.RulesRead {
		t.restricts[access.FS] &^= v.Everywhere[d.Depth-1]
		t.restricts[access.Net] &^= d.Ruleset.EveryPort
	}
	return t
}

func (w *world) of(domain int32, v *View) truth {
	depth := w.domains[domain].Depth
	t := truth{depth: depth, deepest: depth}
	for _, i := range w.chain(domain) {
		l := w.layer(i, v)
		t.handles, t.restricts = t.handles.Union(l.handles), t.restricts.Union(l.restricts)
		t.handlesOther, t.other = t.handlesOther || l.handlesOther, t.other || l.other
	}
	return t
}

// newWorld draws what is true. Few bits are drawn from, so that layers meet.
func newWorld(r *rand.Rand) *world {
	w := &world{host: Host{ABI: 1 + r.IntN(11), RulesRead: r.IntN(6) > 0}}
	bits := func() uint32 { return r.Uint32() & r.Uint32() & 0x800f }
	for i := range 1 + r.IntN(8) {
		parent := int32(r.IntN(i+1)) - 1
		d := Domain{ID: ID(i + 1), Parent: parent, Depth: 1, Lineage: LineageKnown,
			Ruleset: &Ruleset{}}
		for d.Handled.Empty() && !d.HandlesOther {
			d.Handled = access.Rights{access.FS: bits(), access.Net: bits() & 3,
				access.Scope: bits() & 3}
			d.HandlesOther = r.IntN(8) == 0
		}
		if r.IntN(2) == 0 {
			// Newer kernels store what is implied, older ones do not.
			d.Handled = access.Implied(d.Handled, w.host.ABI)
		}
		d.Rules = uint32(r.IntN(5))
		if d.Handled[access.Net] != 0 && r.IntN(3) == 0 {
			d.Ruleset.EveryPort = bits() & d.Handled[access.Net]
		}
		if d.Ruleset.EveryPort != 0 || r.IntN(6) == 0 {
			d.Rules += allPorts
		}
		if parent >= 0 {
			d.Depth += w.domains[parent].Depth
			d.Rules = max(d.Rules, w.domains[parent].Rules) // of equal keys one is stored
		}
		w.domains = append(w.domains, d)
		w.other = append(w.other, d.HandlesOther && r.IntN(2) == 0)
	}
	for i := range w.domains {
		for range 1 + r.IntN(2) {
			v := View{Domain: int32(i)}
			for _, at := range w.chain(int32(i)) {
				granted := bits()
				if r.IntN(2) == 0 {
					granted |= access.Implied(w.domains[at].Handled, w.host.ABI)[access.FS]
				}
				v.Everywhere = append(v.Everywhere, granted)
			}
			w.views = append(w.views, v)
		}
	}
	return w
}

// show makes what is seen, of which nothing is hidden.
func (w *world) show() {
	w.seen = append([]Domain(nil), w.domains...)
	w.seenViews = append([]View(nil), w.views...)
}

// hide takes from what is seen. A source never reports what is false.
func (w *world) hide(r *rand.Rand) {
	one := func() bool { return r.IntN(5) == 0 }
	for i := range w.seen {
		d := &w.seen[i]
		if one() {
			d.Ruleset = nil
		}
		if one() {
			d.Rules = RulesUncounted
		}
		if one() {
			d.Handled, d.HandlesOther = access.Rights{}, false
		}
		switch chain := w.chain(int32(i)); {
		case one(): // somewhere in one of them, but perhaps not directly
			d.Lineage, d.Parent, d.Depth = LineageInferred, Outermost, 1
			if at := r.IntN(len(chain)); at > 0 {
				d.Parent = chain[at-1]
				d.Depth = w.seen[d.Parent].Depth + 1
			}
		case one():
			d.Lineage, d.Parent, d.Depth = LineageUnknown, Outermost, 1
		case one():
			d.Parent = Outermost // it is not known
		}
	}
	for i := range w.seenViews {
		if v := &w.seenViews[i]; one() {
			v.Everywhere, v.Doubt = nil,
				[]Doubt{RulesUnread, RootChanging, RootTooDeep, RootDetached}[r.IntN(4)]
		}
	}
}

// holds returns what was concluded of a sandbox and is not true.
func holds(s *Sandbox, t truth) error {
	within := func(b access.Bounds, r access.Rights) bool {
		return r.Has(b.Sure) && b.May.Has(r) && b.May.Has(b.Sure)
	}
	effective := t.other || !t.restricts.Empty()
	switch said := s.Effective(); {
	case !within(s.Handles, t.handles):
		return fmt.Errorf("handles %v", s.Handles)
	case !within(s.Restricts, t.restricts):
		return fmt.Errorf("restricts %v", s.Restricts)
	case s.Depth > t.depth || s.MostDepth < t.depth || s.Deepest > t.deepest:
		return fmt.Errorf("depth %d to %d, deepest %d", s.Depth, s.MostDepth, s.Deepest)
	case s.Exact && (s.Depth != t.depth || s.MostDepth != t.depth || s.Deepest != t.deepest):
		return fmt.Errorf("depth exactly %d, deepest %d", s.Depth, s.Deepest)
	case said == access.Yes && !effective || said == access.No && effective:
		return fmt.Errorf("effective: %v", said)
	}
	return doubted(s)
}

// doubted returns an error unless there is a doubt exactly where something is unknown.
func doubted(s *Sandbox) error {
	known := s.Exact && s.Handles.Unknown().Empty() && s.Restricts.Unknown().Empty()
	if reasons := s.Doubt &^ ClassUnknown; known != (reasons == 0) {
		return fmt.Errorf("known %v, but in doubt %v", known, s.Doubt.Words())
	}
	return nil
}

// task is one task of a world: in a domain with a view of it; which one may be hidden.
type task struct {
	truth   truth
	sandbox Sandbox
	name    string
}

func (w *world) task(r *rand.Rand, m *Meaning, hidden bool) task {
	view := int32(r.IntN(len(w.views)))
	v := &w.views[view]
	domain := v.Domain
	t := task{truth: w.of(domain, v), name: fmt.Sprintf("in domain %d with view %d", domain, view)}
	depth, exact := t.truth.depth, true
	if hidden {
		switch r.IntN(6) {
		case 0:
			domain = Outermost
		case 1:
			domain, depth, exact = Outermost, uint16(r.IntN(int(depth)+1)), false
		case 2:
			view = NoView
		}
	}
	t.sandbox = m.Task(domain, view, depth, exact)
	return t
}

// Whatever is not seen of a host: what is concluded of a sandbox is true. If everything
// is seen, everything is concluded.
func TestSandboxProperties(t *testing.T) {
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 13))
		w := newWorld(r)
		w.show()
		hidden := seed%4 > 0
		if hidden {
			w.hide(r)
		}
		m := NewMeaning(w.host, w.seen, w.seenViews)
		var together task
		for n := range 1 + r.IntN(4) {
			one := w.task(r, m, hidden)
			if err := holds(&one.sandbox, one.truth); err != nil {
				t.Fatalf("seed %d, a task %s: %v; it is %+v", seed, one.name, err, one.truth)
			}
			if one.sandbox.And(one.sandbox) != one.sandbox {
				t.Fatalf("seed %d, a task %s: it is not what two of its kind are", seed, one.name)
			}
			if n == 0 {
				together = one
				continue
			}
			both := together.sandbox.And(one.sandbox)
			if both != one.sandbox.And(together.sandbox) {
				t.Fatalf("seed %d: the order of %s and %s matters", seed, together.name, one.name)
			}
			together = task{together.truth.and(one.truth), both, together.name + " and " + one.name}
			if err := holds(&together.sandbox, together.truth); err != nil {
				t.Fatalf("seed %d, tasks %s: %v; they are %+v", seed, together.name, err,
					together.truth)
			}
		}
		if !hidden {
			s := together.sandbox
			other := s.Doubt == ClassUnknown
			if !s.Exact || s.Handles != access.Exactly(s.Handles.Sure) ||
				s.Restricts != access.Exactly(s.Restricts.Sure) ||
				other != together.truth.handlesOther ||
				!other && (s.Doubt != 0 || s.Effective() == access.Unknown) {
				t.Fatalf("seed %d, tasks %s: nothing is hidden, but %+v", seed, together.name, s)
			}
		}
		w.checkLayers(t, seed, m, hidden)
	}
}

// checkLayers compares layers one by one. A layer is named by its domain, so that
// gaps in what is seen do not matter.
func (w *world) checkLayers(t *testing.T, seed uint64, m *Meaning, hidden bool) {
	t.Helper()
	for view := range w.views {
		v := &w.views[view]
		layers := m.Layers(v.Domain, int32(view))
		if !hidden && len(layers) != len(w.chain(v.Domain)) {
			t.Fatalf("seed %d: %d layers of domain %d", seed, len(layers), v.Domain)
		}
		last := uint16(0)
		for _, l := range layers {
			depth := w.domains[l.Domain].Depth
			if depth <= last {
				t.Fatalf("seed %d: layer at depth %d behind that at %d", seed, depth, last)
			}
			last = depth
			s := Sandbox{Depth: depth, MostDepth: depth, Deepest: depth, Exact: true,
				Handles: l.Handles, Restricts: l.Restricts, Doubt: l.Doubt}
			is := w.layer(l.Domain, v)
			is.depth, is.deepest = depth, depth
			if err := holds(&s, is); err != nil {
				t.Fatalf("seed %d, layer of domain %d with view %d: %v; it is %+v", seed, l.Domain,
					view, err, is)
			}
		}
		if last != w.domains[v.Domain].Depth {
			t.Fatalf("seed %d: the own layer of domain %d is not there", seed, v.Domain)
		}
	}
}
