// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"testing"

	"github.com/landlockd/landlockd/access"
)

// reachHost is a kernel with all rights of an ABI, on which rules are read.
func reachHost(abi int) Host {
	return Host{ABI: abi, RulesRead: true, Rights: access.Exactly(access.Supported(abi))}
}

// inDomain is one domain that handles all rights of a host, with rules on ports.
func inDomain(host Host, ports ...PortRule) []Domain {
	return []Domain{{ID: 1, Parent: Outermost, Depth: 1, Lineage: LineageKnown,
		Handled: host.Rights.Sure, Ruleset: &Ruleset{Ports: ports, Rules: uint32(len(ports))}}}
}

const (
	newest  = 9
	allFS   = 1<<17 - 1
	readFS  = 1 << 2
	writeFS = 1 << 1
)

// exactly denies some rights on an object and below.
func exactly(denied uint32) Place {
	rights := FileRights{denied, denied}
	return Place{Denied: rights, Below: rights}
}

// perhaps denies some rights, and others that may be denied.
func perhaps(sure, may uint32, doubt Doubt) Place {
	rights := FileRights{sure, may}
	return Place{Denied: rights, Below: rights, Doubt: doubt}
}

// What is denied on files and directories decides what is out of reach.
func TestReachOfPaths(t *testing.T) {
	const file, dir, socket, absent, unreadable = ObjectFile, ObjectDirectory, ObjectSocket,
		ObjectAbsent, ObjectUnreadable
	const truncate, readDir, makeReg, removeFile, removeDir = 1 << 14, 1 << 3, 1 << 8, 1 << 5, 1 << 4
	const resolveUnix, makeChar = 1 << 16, 1 << 6
	secrets := Asset{Name: "a", Paths: []string{"/a"}, Read: true}
	programs := Asset{Name: "a", Paths: []string{"/a"}, Write: true}
	both := Asset{Name: "a", Paths: []string{"/a"}, Read: true, Write: true}
	runtime := Asset{Name: "a", Unix: []string{"/a"}}
	one := func(kind ObjectKind) []Object { return []Object{{Path: "/a", Kind: kind, Parent: -1}} }
	inParent := []Object{{Path: "/a", Kind: file, Parent: 1},
		{Asset: -1, Path: "/", Kind: dir, Parent: -1}}
	for _, c := range []struct {
		name    string
		abi     int
		asset   Asset
		objects []Object
		places  []Place
		want    Reach
		reason  Reason
		rights  uint32
		object  int32
	}{
		{"a file, all denied", newest, secrets, one(file), []Place{exactly(allFS)}, OutOfReach, Restricted, 0, -1},
		{"a file, reading denied", newest, secrets, one(file), []Place{exactly(readFS)}, OutOfReach, Restricted, 0, -1},
		{"a file, reading granted", newest, secrets, one(file), []Place{exactly(allFS &^ readFS)}, WithinReach, RulesGrant, readFS, 0},
		{"a file, perhaps", newest, secrets, one(file), []Place{perhaps(0, readFS, Unplaced)}, ReachUnknown, NotKnown, readFS, 0},
		{"a directory that may be listed", newest, secrets, one(dir), []Place{exactly(readFS)}, WithinReach, RulesGrant, readDir, 0},
		{"a directory", newest, secrets, one(dir), []Place{exactly(readFS | readDir)}, OutOfReach, Restricted, 0, -1},
		{"below a directory", newest, secrets, one(dir),
			[]Place{{Denied: FileRights{allFS, allFS}, Below: FileRights{readDir, readDir}}}, WithinReach, RulesGrant, readFS, 0},
		{"below a directory, perhaps", newest, secrets, one(dir),
			[]Place{{Denied: FileRights{allFS, allFS}, Below: FileRights{readDir, allFS}, Doubt: Unplaced}}, ReachUnknown, NotKnown, readFS, 0},
		{"writing, by making below", newest, programs, one(dir), []Place{exactly(allFS &^ makeChar)}, WithinReach, RulesGrant, makeChar, 0},
		{"writing, not reading", newest, programs, one(dir), []Place{exactly(allFS &^ (readFS | readDir))}, OutOfReach, Restricted, 0, -1},
		{"a file in its directory", newest, programs, inParent, []Place{exactly(allFS), exactly(allFS)}, OutOfReach, Restricted, 0, -1},
		{"a file that can be replaced", newest, programs, inParent, []Place{exactly(allFS), exactly(allFS &^ makeReg)}, WithinReach, RulesGrant, makeReg, 1},
		{"a file that can be removed", newest, programs, inParent, []Place{exactly(allFS), exactly(allFS &^ removeFile)}, WithinReach, RulesGrant, removeFile, 1},
		{"a file above which a directory may be moved", newest, programs, inParent, []Place{exactly(allFS), exactly(allFS &^ removeDir)},
			WithinReach, RulesGrant, removeDir, 1},
		{"the same, to read", newest, secrets, inParent, []Place{exactly(allFS), exactly(allFS &^ removeDir)}, OutOfReach, Restricted, 0, -1},
		{"a file beside which a device can be made", newest, programs, inParent, []Place{exactly(allFS), exactly(allFS &^ makeChar)}, OutOfReach, Restricted, 0, -1},
		{"a file that others replace, to read", newest, secrets, inParent, []Place{exactly(allFS), exactly(0)}, OutOfReach, Restricted, 0, -1},
		{"a file to truncate", newest, programs, inParent, []Place{exactly(allFS &^ truncate), exactly(allFS)}, WithinReach, RulesGrant, truncate, 0},
		{"before truncate", 2, programs, inParent, []Place{exactly(1<<14 - 1), exactly(1<<14 - 1)}, WithinReach, KernelCannot, truncate, 0},
		{"before truncate, reading", 2, secrets, one(file), []Place{exactly(1<<14 - 1)}, OutOfReach, Restricted, 0, -1},
		{"granted, whatever the kernel", 2, programs, one(file), []Place{exactly(0)}, WithinReach, RulesGrant, writeFS, 0},
		{"before refer, in the directory", 1, secrets, inParent, []Place{exactly(1<<13 - 1), exactly(1<<13 - 1)}, OutOfReach, Restricted, 0, -1},
		{"reading and writing", newest, both, one(file), []Place{exactly(allFS &^ readFS)}, WithinReach, RulesGrant, readFS, 0},
		{"a socket", newest, runtime, one(socket), []Place{exactly(resolveUnix)}, OutOfReach, Restricted, 0, -1},
		{"a socket, granted", newest, runtime, one(socket), []Place{exactly(allFS &^ resolveUnix)}, WithinReach, RulesGrant, resolveUnix, 0},
		{"a socket, before the right", 8, runtime, one(socket), []Place{exactly(1<<16 - 1)}, WithinReach, KernelCannot, resolveUnix, 0},
		{"a socket, before the right, to which no way leads", 8, runtime, one(socket), []Place{exactly(^uint32(0))}, OutOfReach, Restricted, 0, -1},
		{"a socket, before the right, to which a way may lead", 8, runtime, one(socket), []Place{perhaps(0, ^uint32(0), WaysUnread)}, ReachUnknown, NotKnown, resolveUnix, 0},
		{"a socket, of no known scene, before the right", 8, runtime, one(socket), nil, ReachUnknown, NotKnown, resolveUnix, 0},
		{"absent", newest, secrets, one(absent), []Place{exactly(0)}, Absent, 0, 0, -1},
		{"unreadable", newest, secrets, one(unreadable), []Place{exactly(allFS)}, ReachUnknown, NotKnown, 0, 0},
		{"not looked for", newest, secrets, nil, nil, ReachUnknown, NotKnown, 0, -1},
		{"no scene", newest, secrets, one(file), nil, ReachUnknown, NotKnown, readFS, 0},
		{"one of several", newest, secrets,
			[]Object{{Kind: file, Parent: -1}, {Kind: absent, Parent: -1}, {Kind: file, Parent: -1}, {Kind: file, Parent: -1}},
			[]Place{exactly(allFS), exactly(0), exactly(0), perhaps(0, allFS, Unplaced)}, WithinReach, RulesGrant, readFS, 2},
		{"one of several is absent", newest, secrets, []Object{{Kind: absent, Parent: -1}, {Kind: file, Parent: -1}},
			[]Place{exactly(0), exactly(allFS)}, OutOfReach, Restricted, 0, -1},
	} {
		host := reachHost(c.abi)
		domains := inDomain(host)
		assets := Assets{Assets: []Asset{c.asset}, Objects: c.objects}
		scene := NoScene
		if c.places != nil {
			assets.Scenes, scene = []Scene{{Places: c.places}}, 1
		}
		m := NewMeaning(host, domains, nil).WithAssets(assets)
		got := m.Reached(0, scene)[0]
		if got.Reach != c.want || got.Reason != c.reason && c.want != Absent ||
			got.Rights != access.FS.Rights(c.rights) || got.Object != c.object || (got.Doubt != 0) != (c.want == ReachUnknown) {
			t.Errorf("%s: %+v, want %s %s %x of object %d", c.name, got, c.want, c.reason, c.rights, c.object)
		}
		reaches := m.Reaches(0, scene)
		reach, byKernel := reaches.Of(0)
		if reach != c.want || byKernel != (c.want == WithinReach && c.reason == KernelCannot) ||
			(reaches.Doubt != 0) != (c.want == ReachUnknown) {
			t.Errorf("%s: %v, %v of %+v", c.name, reach, byKernel, reaches)
		}
	}
}

// A right that no layer handles is within reach, where a way leads to the object.
func TestReachNotHandled(t *testing.T) {
	host := reachHost(newest)
	domains := inDomain(host)
	domains[0].Handled = access.Rights{access.FS: writeFS}
	m := NewMeaning(host, domains, nil).WithAssets(Assets{
		Assets:  []Asset{{Name: "a", Paths: []string{"/a"}, Read: true}, {Name: "b", Paths: []string{"/a"}, Write: true}},
		Objects: []Object{{Kind: ObjectFile, Parent: -1}, {Asset: 1, Kind: ObjectFile, Parent: -1}},
		Scenes:  []Scene{{Places: []Place{exactly(writeFS), exactly(writeFS)}}},
	})
	all := m.Reached(0, 1)
	if all[0].Reach != WithinReach || all[0].Reason != NotHandled {
		t.Errorf("reading: %+v", all[0])
	}
	if all[1].Reach != WithinReach || all[1].Reason != NotHandled || all[1].Rights != access.FS.Rights(1<<14) {
		t.Errorf("truncating: %+v", all[1])
	}
	// A scene of another domain is none.
	other := m.Reached(Outermost, 1)
	if other[0].Reach != ReachUnknown || other[1].Reach != ReachUnknown {
		t.Errorf("of no known domain: %+v", other)
	}
}

func TestReachOfPortsAndScopes(t *testing.T) {
	connect, _ := access.Lookup("net.connect_tcp")
	bind, _ := access.Lookup("net.bind_tcp")
	way := func(right access.Right, name string) access.Ways {
		w, found := access.LookupWay(right, name)
		if !found {
			t.Fatalf("no way %s by %s", right, name)
		}
		return w.Ways()
	}
	refer, _ := access.Lookup("fs.refer")
	moved := way(refer, "disconnected_directory")
	ssh := Asset{Name: "a", TCP: []uint16{22, 2222}, Connect: true}
	serve := Asset{Name: "a", TCP: []uint16{2222}, Bind: true}
	low := Asset{Name: "a", TCP: []uint16{22}, Bind: true}
	outside := Asset{Name: "a", Signal: true}
	abstract := Asset{Name: "a", Signal: true, AbstractUnix: true}
	grant := func(port uint16, right access.Right) PortRule { return PortRule{port, 1 << right.Bit} }
	for _, c := range []struct {
		name   string
		abi    int
		asset  Asset
		change func(*Host, []Domain)
		rules  []PortRule
		want   Reach
		reason Reason
		doubt  Doubt
	}{
		{"denied", newest, ssh, nil, nil, OutOfReach, Restricted, 0},
		{"granted on one", newest, ssh, nil, []PortRule{grant(2222, connect)}, WithinReach, RulesGrant, 0},
		{"granted on another", newest, ssh, nil, []PortRule{grant(23, connect)}, OutOfReach, Restricted, 0},
		{"another right is granted", newest, ssh, nil, []PortRule{grant(22, bind)}, OutOfReach, Restricted, 0},
		{"granted everywhere", newest, ssh, func(_ *Host, d []Domain) { d[0].Ruleset.EveryPort = 1 << connect.Bit }, nil,
			WithinReach, RulesGrant, 0},
		{"not handled", newest, ssh, func(_ *Host, d []Domain) { d[0].Handled[access.Net] = 0 }, nil, WithinReach, NotHandled, 0},
		{"before the right", 3, ssh, nil, nil, WithinReach, KernelCannot, 0},
		{"rules not read", newest, ssh, func(_ *Host, d []Domain) { d[0].Ruleset = nil }, nil, ReachUnknown, NotKnown, RulesUnread},
		{"rules left out", newest, ssh, func(_ *Host, d []Domain) { d[0].Ruleset.PortsLeftOut = 1 }, nil, ReachUnknown, NotKnown, RulesUnread},
		{"an outer layer is not known, and this one grants", newest, ssh,
			func(_ *Host, d []Domain) { d[0].Depth = 2 }, []PortRule{grant(22, connect)}, ReachUnknown, NotKnown, LayersUnknown},
		{"an outer layer is not known, and this one denies", newest, ssh,
			func(_ *Host, d []Domain) { d[0].Depth = 2 }, nil, OutOfReach, Restricted, 0},
		{"before the right, and layers not known", 3, ssh, func(_ *Host, d []Domain) { d[0].Depth = 2 }, nil, WithinReach, KernelCannot, 0},
		{"a way is open", newest, ssh, func(h *Host, _ []Domain) { h.Ways = way(connect, "mptcp") }, nil, WithinReach, KernelCannot, 0},
		{"a way may be open", newest, ssh, func(h *Host, _ []Domain) { h.WaysUnknown = way(connect, "tcp_fast_open") }, nil,
			ReachUnknown, NotKnown, WayUnknown},
		{"a way past another right", newest, ssh, func(h *Host, _ []Domain) { h.Ways = way(bind, "mptcp") | moved }, nil, OutOfReach, Restricted, 0},
		{"bound", newest, serve, nil, []PortRule{grant(2222, bind)}, WithinReach, RulesGrant, 0},
		{"the kernel may pick it", newest, serve, nil, []PortRule{grant(0, bind)}, ReachUnknown, NotKnown, PortPicked},
		{"the kernel never picks it", newest, low, nil, []PortRule{grant(0, bind)}, OutOfReach, Restricted, 0},
		{"picked, and a way is open", newest, serve, func(h *Host, _ []Domain) { h.Ways = way(bind, "smc") },
			[]PortRule{grant(0, bind)}, WithinReach, KernelCannot, 0},
		{"scoped", newest, outside, nil, nil, OutOfReach, Restricted, 0},
		{"not scoped", newest, outside, func(_ *Host, d []Domain) { d[0].Handled[access.Scope] = 1 }, nil, WithinReach, NotHandled, 0},
		{"scoped in one of two", newest, abstract, func(_ *Host, d []Domain) { d[0].Handled[access.Scope] = 1 }, nil, WithinReach, NotHandled, 0},
		{"before scopes", 5, outside, nil, nil, WithinReach, KernelCannot, 0},
		{"scopes not known", newest, outside, func(_ *Host, d []Domain) { d[0].Depth, d[0].Handled[access.Scope] = 2, 0 }, nil,
			ReachUnknown, NotKnown, LayersUnknown},
		{"rights that are newer restrict what is granted, perhaps", newest, ssh,
			func(_ *Host, d []Domain) { d[0].HandlesOther = true }, []PortRule{grant(22, connect)}, ReachUnknown, NotKnown, ClassUnknown},
		{"rights that are newer take nothing away", newest, ssh, func(_ *Host, d []Domain) { d[0].HandlesOther = true }, nil,
			OutOfReach, Restricted, 0},
	} {
		host := reachHost(c.abi)
		domains := inDomain(host, c.rules...)
		if c.change != nil {
			c.change(&host, domains)
		}
		m := NewMeaning(host, domains, nil).WithAssets(Assets{Assets: []Asset{c.asset}})
		if got := m.Reached(0, NoScene)[0]; got.Reach != c.want || got.Reason != c.reason || got.Doubt != c.doubt {
			t.Errorf("%s: %+v, want %s %s %v", c.name, got, c.want, c.reason, c.doubt.Words())
		}
	}
}

// A way past a right to files leaves an asset within reach from which that right keeps.
func TestReachPastFiles(t *testing.T) {
	host := reachHost(newest)
	refer, _ := access.Lookup("fs.refer")
	moved, _ := access.LookupWay(refer, "disconnected_directory")
	assets := Assets{
		Assets:  []Asset{{Name: "r", Paths: []string{"/a"}, Read: true}, {Name: "w", Paths: []string{"/a"}, Write: true}},
		Objects: []Object{{Kind: ObjectDirectory, Parent: -1}, {Asset: 1, Kind: ObjectDirectory, Parent: -1}},
		Scenes:  []Scene{{Places: []Place{exactly(allFS), exactly(allFS)}}},
	}
	for _, c := range []struct {
		open, perhaps access.Ways
		want          Reach
	}{{0, 0, OutOfReach}, {moved.Ways(), 0, WithinReach}, {0, moved.Ways(), ReachUnknown}} {
		host.Ways, host.WaysUnknown = c.open, c.perhaps
		all := NewMeaning(host, inDomain(host), nil).WithAssets(assets).Reached(0, 1)
		if all[0].Reach != OutOfReach || all[1].Reach != c.want || all[1].Ways != c.open|c.perhaps {
			t.Errorf("%+v: %+v", c, all)
		}
	}
}

// What any task reaches, the process does; and beside a worker outside nothing is out of reach.
func TestReachesTogether(t *testing.T) {
	ranks := []uint64{uint64(Absent), uint64(OutOfReach), uint64(ReachUnknown), rankKernel, rankOpen}
	for _, a := range ranks {
		for _, b := range ranks {
			for asset := range MaxAssets {
				var x, y Reaches
				x.raise(asset, a)
				y.raise(asset, b)
				if both := x.And(y); both.rank(asset) != max(a, b) || both.And(x) != both || both != y.And(x) {
					t.Fatalf("asset %d: %d and %d are %d", asset, a, b, both.rank(asset))
				}
			}
		}
		for outside, least := range map[access.Answer]uint64{
			access.No: 0, access.Unknown: uint64(ReachUnknown), access.Yes: rankOpen,
		} {
			var x Reaches
			x.raise(3, a)
			want := max(a, least)
			if a == uint64(Absent) {
				want = a
			}
			if got := x.Beside(outside); got.rank(3) != want || got.rank(2) != 0 {
				t.Errorf("rank %d beside a worker outside: %s: %d, want %d", a, outside, got.rank(3), want)
			}
		}
	}
	if rankBits*MaxAssets > 64 || rankOpen >= 1<<rankBits {
		t.Error("assets do not fit")
	}
}

// To conclude of one more task of a domain, or a scene, that is concluded takes no memory.
func TestReachesAllocations(t *testing.T) {
	host := reachHost(newest)
	m := NewMeaning(host, inDomain(host), nil).WithAssets(Assets{Assets: []Asset{{Name: "a", Signal: true}}})
	m.Reaches(0, NoScene)
	if n := testing.AllocsPerRun(100, func() { m.Reaches(0, NoScene) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
