// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/access"
)

// known is a domain of known lineage and few rules, which are unread.
func known(parent int32, depth uint16, handled access.Rights) Domain {
	return Domain{Parent: parent, Depth: depth, Lineage: LineageKnown, Handled: handled, Rules: 9}
}

func (d Domain) with(change func(*Domain)) Domain {
	change(&d)
	return d
}

func inferredLineage(d *Domain) { d.Lineage = LineageInferred }
func unknownLineage(d *Domain)  { d.Lineage = LineageUnknown }
func manyRules(d *Domain)       { d.Rules = allPorts }
func uncounted(d *Domain)       { d.Rules = RulesUncounted }
func otherClass(d *Domain)      { d.HandlesOther = true }

func grantsPorts(mask uint32) func(*Domain) {
	return func(d *Domain) { d.Ruleset = &Ruleset{EveryPort: mask} }
}

func TestSandbox(t *testing.T) {
	none := access.Rights{}
	fs, net := access.FS.Rights, access.Net.Rights
	read := Host{ABI: 1, RulesRead: true}
	everything := access.Every()
	for _, c := range []struct {
		name      string
		host      Host
		domains   []Domain
		view      *View // of the last domain
		handles   access.Rights
		restricts access.Bounds
		doubt     Doubt
		effective access.Answer
	}{
		{
			"a layer without grants", read, []Domain{known(-1, 1, fs(0b111))}, &View{},
			fs(0b111), access.Exactly(fs(0b111)), 0, access.Yes,
		},
		{
			"granted in part", read, []Domain{known(-1, 1, fs(0b111))},
			&View{Everywhere: []uint32{0b011}},
			fs(0b111), access.Exactly(fs(0b100)), 0, access.Yes,
		},
		{
			"all granted on /: ineffective", read, []Domain{known(-1, 1, fs(0b111))},
			&View{Everywhere: []uint32{math.MaxUint32}},
			fs(0b111), access.Exactly(none), 0, access.No,
		},
		{
			"granted by the inner layer only", read,
			[]Domain{known(-1, 1, fs(0b11)), known(0, 2, fs(0b11))},
			&View{Everywhere: []uint32{0, 0b11}},
			fs(0b11), access.Exactly(fs(0b11)), 0, access.Yes,
		},
		{
			"granted by the outer layer only", read,
			[]Domain{known(-1, 1, fs(0b11)), known(0, 2, fs(0b11))},
			&View{Everywhere: []uint32{0b11}},
			fs(0b11), access.Exactly(fs(0b11)), 0, access.Yes,
		},
		{
			"each layer grants what it handles", read,
			[]Domain{known(-1, 1, fs(0b01)), known(0, 2, fs(0b10))},
			&View{Everywhere: []uint32{0b01, 0b10}},
			fs(0b11), access.Exactly(none), 0, access.No,
		},
		{
			"each layer grants what the other handles", read,
			[]Domain{known(-1, 1, fs(0b01)), known(0, 2, fs(0b10))},
			&View{Everywhere: []uint32{0b10, 0b01}},
			fs(0b11), access.Exactly(fs(0b11)), 0, access.Yes,
		},
		{
			"no view", read, []Domain{known(-1, 1, fs(0b11))}, nil,
			fs(0b11), access.Bounds{May: fs(0b11)}, RulesUnread, access.Unknown,
		},
		{
			"no view, but another class", read,
			[]Domain{known(-1, 1, access.Rights{access.FS: 1, access.Scope: 2})}, nil,
			access.Rights{access.FS: 1, access.Scope: 2},
			access.Bounds{Sure: access.Scope.Rights(2),
				May: access.Rights{access.FS: 1, access.Scope: 2}}, RulesUnread, access.Yes,
		},
		{
			"no view, and nothing to ask it", read, []Domain{known(-1, 1, access.Scope.Rights(3))},
			nil,
			access.Scope.Rights(3), access.Exactly(access.Scope.Rights(3)), 0, access.Yes,
		},
		{
			"a doubtful view", read, []Domain{known(-1, 1, fs(0b11))}, &View{Doubt: RootChanging},
			fs(0b11), access.Bounds{May: fs(0b11)}, RootChanging, access.Unknown,
		},
		{
			"rules are not read here", Host{ABI: 1},
			[]Domain{known(-1, 1, fs(0b11)), known(0, 2, net(0b11))}, nil,
			access.Rights{access.FS: 0b11, access.Net: 0b11},
			access.Exactly(access.Rights{access.FS: 0b11, access.Net: 0b11}), 0, access.Yes,
		},
		{
			"every port", read,
			[]Domain{known(-1, 1, net(0b11)).with(grantsPorts(0b10)).with(manyRules)}, nil,
			net(0b11), access.Exactly(net(0b01)), 0, access.Yes,
		},
		{
			"every port and every right: ineffective", read,
			[]Domain{known(-1, 1, net(0b11)).with(grantsPorts(0b11)).with(manyRules)}, nil,
			net(0b11), access.Exactly(none), 0, access.No,
		},
		{
			"every port in one layer of two", read,
			[]Domain{known(-1, 1, net(0b11)).with(grantsPorts(0b11)),
				known(0, 2, net(0b01)).with(grantsPorts(0b10)).with(manyRules)}, nil,
			net(0b11), access.Exactly(net(0b01)), 0, access.Yes,
		},
		{
			"fewer rules than ports, unread", read,
			[]Domain{known(-1, 1, net(0b11)).with(func(d *Domain) { d.Rules = allPorts - 1 })},
			nil,
			net(0b11), access.Exactly(net(0b11)), 0, access.Yes,
		},
		{
			"as many rules as ports, unread", read,
			[]Domain{known(-1, 1, net(0b11)).with(manyRules)}, nil,
			net(0b11), access.Bounds{May: net(0b11)}, RulesUnread, access.Unknown,
		},
		{
			"rules uncounted and unread", read, []Domain{known(-1, 1, net(0b11)).with(uncounted)},
			nil,
			net(0b11), access.Bounds{May: net(0b11)}, RulesUnread, access.Unknown,
		},
		{
			"the inner domain counts those of the outer one", read,
			[]Domain{known(-1, 1, net(0b11)).with(uncounted), known(0, 2, access.Scope.Rights(1))},
			nil,
			access.Rights{access.Net: 0b11, access.Scope: 1},
			access.Exactly(access.Rights{access.Net: 0b11, access.Scope: 1}), 0, access.Yes,
		},
		{
			"few rules in the outer domain, many inside", read,
			[]Domain{known(-1, 1, net(0b01)), known(0, 2, net(0b10)).with(manyRules)}, nil,
			net(0b11), access.Bounds{Sure: net(0b01), May: net(0b11)}, RulesUnread, access.Yes,
		},
		{
			"one layer settles what another leaves open", read,
			[]Domain{known(-1, 1, net(0b11)), known(0, 2, net(0b11)).with(manyRules)}, nil,
			net(0b11), access.Exactly(net(0b11)), 0, access.Yes,
		},
		{
			"fs.refer comes with ABI 2", Host{ABI: 2, RulesRead: true},
			[]Domain{known(-1, 1, fs(1))}, &View{Everywhere: []uint32{1}},
			fs(1 | access.Refer), access.Exactly(fs(access.Refer)), 0, access.Yes,
		},
		{
			"fs.refer comes with rights to files only", Host{ABI: 9, RulesRead: true},
			[]Domain{known(-1, 1, net(1))}, nil,
			net(1), access.Exactly(net(1)), 0, access.Yes,
		},
		{
			"inferred lineage", read,
			[]Domain{known(-1, 1, access.Scope.Rights(1)).with(inferredLineage)}, nil,
			access.Scope.Rights(1), access.Bounds{Sure: access.Scope.Rights(1), May: everything},
			LayersUnknown, access.Yes,
		},
		{
			"unknown lineage, nothing restricted by what is known", Host{ABI: 1, RulesRead: true},
			[]Domain{known(-1, 1, net(1)).with(grantsPorts(1)).with(unknownLineage)}, nil,
			net(1), access.Bounds{May: everything}, LayersUnknown, access.Unknown,
		},
		{
			"a view of a domain whose depth is not known", read,
			[]Domain{known(-1, 1, fs(1)), known(0, 2, fs(2)).with(inferredLineage)},
			&View{Everywhere: []uint32{1, 2}},
			fs(3), access.Bounds{May: everything}, LayersUnknown, access.Unknown,
		},
		{
			"the parent is missing", read, []Domain{known(-1, 2, fs(0b11))},
			&View{Everywhere: []uint32{0, 0b01}},
			fs(0b11), access.Bounds{Sure: fs(0b10), May: everything}, LayersUnknown, access.Yes,
		},
		{
			"a layer of which it is not known what it handles", read,
			[]Domain{known(-1, 1, none), known(0, 2, fs(0b11))}, &View{},
			fs(0b11), access.Bounds{Sure: fs(0b11), May: everything}, LayersUnknown, access.Yes,
		},
		{
			"a class that is not known", read, []Domain{known(-1, 1, none).with(otherClass)}, nil,
			none, access.Exactly(none), ClassUnknown, access.Unknown,
		},
		{
			"a class that is not known beside one that is", read,
			[]Domain{known(-1, 1, fs(1)).with(otherClass)}, &View{},
			fs(1), access.Exactly(fs(1)), ClassUnknown, access.Yes,
		},
		{
			"bits without a name", read, []Domain{known(-1, 1, fs(1<<31|1<<30))},
			&View{Everywhere: []uint32{1 << 31}},
			fs(1<<31 | 1<<30), access.Exactly(fs(1 << 30)), 0, access.Yes,
		},
	} {
		last := int32(len(c.domains) - 1)
		var views []View
		view := NoView
		if c.view != nil {
			c.view.Domain = last
			views, view = []View{*c.view}, 0
		}
		m := NewMeaning(c.host, c.domains, views)
		for range 2 { // the second is the one that was kept
			s := m.Task(last, view, 0, false)
			if !s.Handles.May.Has(c.handles) || s.Handles.Sure != c.handles ||
				s.Restricts != c.restricts || s.Doubt != c.doubt {
				t.Errorf("%s: handles %v, restricts %v, %v; want %v, %v, %v",
					c.name, s.Handles, s.Restricts, s.Doubt.Words(), c.handles, c.restricts,
					c.doubt.Words())
			}
			if got := s.Effective(); got != c.effective {
				t.Errorf("%s: effective: %v, want %v", c.name, got, c.effective)
			}
			if s.And(s) != s {
				t.Errorf("%s: it is not what two of its kind are", c.name)
			}
		}
	}
}

func TestSandboxDepth(t *testing.T) {
	domains := []Domain{
		known(-1, 1, access.Rights{1}), known(0, 2, access.Rights{1}),
		known(-1, 1, access.Rights{1}).with(inferredLineage),
		known(2, 2, access.Rights{1}).with(inferredLineage),
	}
	m := NewMeaning(Host{}, domains, nil)
	task := func(domain int32, depth uint16, exact bool) Sandbox {
		return m.Task(domain, NoView, depth, exact)
	}
	outer, inner, guessed := task(0, 0, false), task(1, 0, false), task(3, 0, false)
	unknown, deep, vague := task(Outermost, 0, false), task(Outermost, 7, true), task(99, 3, false)
	type depths struct {
		least, most, deepest uint16
		exact                bool
	}
	for _, c := range []struct {
		name string
		got  Sandbox
		want depths
	}{
		{"one", outer, depths{1, 1, 1, true}},
		{"two", inner, depths{2, 2, 2, true}},
		{"one and two", inner.And(outer), depths{1, 1, 2, true}},
		{"inferred", guessed, depths{2, AnyDepth, 2, false}},
		{"inferred and two", guessed.And(inner), depths{2, 2, 2, false}},
		{"nothing is known", unknown, depths{1, AnyDepth, 1, false}},
		{"the depth alone is known", deep, depths{7, 7, 7, true}},
		{"at least three", vague, depths{3, AnyDepth, 3, false}},
		{"at least three, seven and two", vague.And(deep).And(inner), depths{2, 2, 7, false}},
	} {
		s := &c.got
		if got := (depths{s.Depth, s.MostDepth, s.Deepest, s.Exact}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if unknown.Effective() != access.Unknown || !unknown.Doubt.Has(LayersUnknown) {
		t.Errorf("a domain of which nothing is known: effective %v, %v", unknown.Effective(),
			unknown.Doubt.Words())
	}
}

// What is known of tasks by what they handled and how deep the shallowest was.
func TestHandling(t *testing.T) {
	files, signals := access.Rights{access.FS: 1}, access.Rights{access.Scope: 2}
	implied := access.Rights{access.FS: 1 | access.Refer}
	for _, c := range []struct {
		read    bool
		depth   uint16
		handled access.Rights
		want    Sandbox
	}{
		{false, 2, files, Sandbox{Depth: 2, MostDepth: 2, Deepest: 2,
			Handles: access.Exactly(implied), Restricts: access.Exactly(implied)}},
		{true, 0, files, Sandbox{Depth: 1, MostDepth: AnyDepth, Deepest: 1,
			Handles: access.Exactly(implied), Restricts: access.Bounds{May: implied}, Doubt: RulesUnread}},
		{true, 1, signals, Sandbox{Depth: 1, MostDepth: 1, Deepest: 1,
			Handles: access.Exactly(signals), Restricts: access.Exactly(signals)}},
		{true, 1, access.Rights{}, Sandbox{Depth: 1, MostDepth: 1, Deepest: 1,
			Handles: access.Anything(), Restricts: access.Anything(), Doubt: LayersUnknown | RulesUnread}},
	} {
		m := NewMeaning(Host{ABI: 6, RulesRead: c.read}, nil, nil)
		if got := m.Handling(c.depth, c.handled); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c, got, c.want)
		}
	}
}

// A view is of one domain: it shows nothing of another, nor does one that is not there.
func TestViewOfAnotherDomain(t *testing.T) {
	domains := []Domain{known(-1, 1, access.Rights{1}), known(-1, 1, access.Rights{1})}
	m := NewMeaning(Host{ABI: 1, RulesRead: true}, domains, []View{{Domain: 0}})
	for _, view := range []int32{0, 1, -1, -7} {
		if s := m.Task(1, view, 0, false); s.Doubt != RulesUnread {
			t.Errorf("view %d: %v", view, s.Doubt.Words())
		}
		if l := m.Layers(1, view); len(l) != 1 || l[0].Doubt != RulesUnread {
			t.Errorf("view %d: %+v", view, l)
		}
	}
}

func TestLayers(t *testing.T) {
	domains := []Domain{
		known(-1, 1, access.FS.Rights(3)),
		known(0, 2, access.Net.Rights(3)).with(grantsPorts(1)),
		known(1, 3, access.FS.Rights(6)).with(manyRules),
	}
	m := NewMeaning(Host{ABI: 1, RulesRead: true}, domains,
		[]View{{Domain: 2, Everywhere: []uint32{1, 0, 4}}, {Domain: 1, Doubt: RootTooDeep}})
	exactly := func(domain int32, handles, restricts access.Rights) Layer {
		return Layer{Domain: domain, Handles: access.Exactly(handles),
			Restricts: access.Exactly(restricts)}
	}
	want := []Layer{
		exactly(0, access.FS.Rights(3), access.FS.Rights(2)),
		exactly(1, access.Net.Rights(3), access.Net.Rights(2)),
		exactly(2, access.FS.Rights(6), access.FS.Rights(2)),
	}
	if got := m.Layers(2, 0); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	want[0].Restricts, want[0].Doubt = access.Bounds{May: access.FS.Rights(3)}, RootTooDeep
	if got := m.Layers(1, 1); !reflect.DeepEqual(got, want[:2]) {
		t.Errorf("%+v, want %+v", got, want[:2])
	}
	if m.Layers(Outermost, 0) != nil || m.Layers(3, NoView) != nil {
		t.Error("layers of no domain")
	}
}

// Input that no kernel gives makes no circle and no long walk.
func TestChain(t *testing.T) {
	long := make([]Domain, 1000)
	for i := range long {
		long[i] = known(int32(i)-1, uint16(i+1), access.Rights{1})
	}
	circle := []Domain{known(-1, 1, access.Rights{}), known(2, 2, access.Rights{}),
		known(1, 3, access.Rights{}), known(99, 1, access.Rights{})}
	for _, c := range []struct {
		domains []Domain
		of      int32
		n       int
		whole   bool
	}{
		{long, 999, maxNesting, false},
		{long, maxNesting - 1, maxNesting, true},
		{long, maxNesting, maxNesting, false},
		{circle, 0, 1, true},
		{circle, 2, maxNesting, false},
		{circle, Outermost, 0, false},
		{circle, 77, 0, false},
	} {
		got, whole := slices.Collect(Chain(c.domains, c.of)), Whole(c.domains, c.of)
		if len(got) != c.n || whole != c.whole {
			t.Errorf("of %d: %v, whole: %v", c.of, got, whole)
		}
	}
	m := NewMeaning(Host{RulesRead: true}, circle, nil)
	if s := m.Task(2, NoView, 0, false); !s.Doubt.Has(LayersUnknown) {
		t.Errorf("a circle: %+v", s)
	}
}

func TestDoubts(t *testing.T) {
	all := LayersUnknown | RulesUnread | RootChanging | RootTooDeep | RootDetached | ClassUnknown |
		CwdOutside | WaysUnread | Unplaced | AssetUnread | WayUnknown | PortPicked
	if len(all.Words()) != len(doubts) || len(all.Sentences()) != len(doubts) {
		t.Errorf("%v, %v", all.Words(), all.Sentences())
	}
	back := Doubt(0)
	for _, word := range all.Words() {
		d, ok := ParseDoubt(word)
		if !ok || !slices.Equal(d.Words(), []string{word}) {
			t.Errorf("%q is %v", word, d)
		}
		back |= d
	}
	if back != all || !all.Has(back) || Doubt(0).Has(ClassUnknown) || len(Doubt(0).Words()) != 0 {
		t.Errorf("%v came back as %v", all, back)
	}
	if _, ok := ParseDoubt("doubt"); ok {
		t.Error("a word that is none is taken for a doubt")
	}
}
