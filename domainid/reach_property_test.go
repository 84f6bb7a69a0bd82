// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/landlockd/landlockd/access"
)

// randomReach is a host with domains, assets, objects and scenes of which anything may be
// known.
func randomReach(r *rand.Rand) (Host, []Domain, Assets) {
	host := reachHost(1 + r.IntN(9))
	host.RulesRead = r.IntN(4) > 0
	if r.IntN(3) == 0 {
		host.Ways, host.WaysUnknown = access.Ways(r.Uint32()&r.Uint32()&127), access.Ways(r.Uint32()&r.Uint32()&127)
	}
	var domains []Domain
	for i := range 1 + r.IntN(5) {
		d := Domain{ID: ID(i + 1), Parent: int32(r.IntN(i+1)) - 1, Depth: 1, Lineage: LineageKnown, Rules: 9}
		if d.Parent >= 0 {
			d.Depth = domains[d.Parent].Depth + 1
		}
		if r.IntN(6) == 0 {
			d.Lineage = Lineage(r.IntN(3))
		}
		for c, mask := range host.Rights.Sure {
			d.Handled[c] = mask & (r.Uint32() | r.Uint32())
		}
		d.HandlesOther = r.IntN(9) == 0
		if r.IntN(5) > 0 {
			d.Ruleset = &Ruleset{EveryPort: r.Uint32() & r.Uint32() & r.Uint32() & 15, PortsLeftOut: uint32(r.IntN(9) / 8)}
			for port := range uint16(4) {
				if r.IntN(3) == 0 {
					d.Ruleset.Ports = append(d.Ruleset.Ports, PortRule{1022 + port, r.Uint32() & 15})
				}
			}
		}
		domains = append(domains, d)
	}
	is := func() bool { return r.IntN(2) == 0 }
	var a Assets
	for i := range 1 + r.IntN(4) {
		of := Asset{Name: fmt.Sprint(i), Signal: r.IntN(4) == 0, AbstractUnix: r.IntN(4) == 0}
		switch r.IntN(4) {
		case 0:
			of.TCP, of.Connect, of.Bind = []uint16{1022, 1024}, is(), is()
		case 1:
			of.Unix = []string{"/s"}
		default:
			of.Paths, of.Read, of.Write = []string{"/p"}, is(), is()
		}
		a.Assets = append(a.Assets, of)
		for range r.IntN(3) {
			if of.TCP == nil {
				a.Objects = append(a.Objects, Object{Asset: -1, Kind: ObjectDirectory, Parent: -1},
					Object{Asset: int32(i), Kind: ObjectKind(r.IntN(5)), Parent: int32(len(a.Objects)) - int32(r.IntN(2))})
			}
		}
	}
	for d := range domains {
		scene := Scene{Domain: int32(d)}
		for range a.Objects {
			may := func() uint32 { return r.Uint32() | r.Uint32() | r.Uint32() | r.Uint32() }
			p := Place{Denied: FileRights{May: may()}, Doubt: Unplaced}
			p.Denied.Sure = p.Denied.May & may()
			p.Below = FileRights{p.Denied.Sure & may(), p.Denied.May}
			scene.Places = append(scene.Places, p)
		}
		a.Scenes = append(a.Scenes, scene)
	}
	return host, domains, a
}

// More is known of the world that a second one is: what was concluded stays true. That is so
// for each of what may be known of rights to files.
func TestReachOfMoreKnown(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 18))
		host, domains, a := randomReach(r)
		before := NewMeaning(host, domains, nil).WithAssets(a)
		known := a
		known.Scenes = nil
		for _, scene := range a.Scenes {
			places := make([]Place, len(scene.Places))
			for i, p := range scene.Places {
				known := func(f FileRights) FileRights {
					exact := f.Sure | f.May&r.Uint32()
					return FileRights{exact, exact}
				}
				places[i] = Place{Denied: known(p.Denied), Below: known(p.Below)}
				places[i].Below = FileRights{places[i].Below.Sure & places[i].Denied.Sure, places[i].Below.May & places[i].Denied.May}
			}
			known.Scenes = append(known.Scenes, Scene{scene.Domain, places})
		}
		after := NewMeaning(host, domains, nil).WithAssets(known)
		for d := range int32(len(domains)) {
			for i := range a.Assets {
				was, is := before.Reached(d, d+1)[i], after.Reached(d, d+1)[i]
				blind := before.Reached(d, NoScene)[i]
				for _, less := range []Reached{was, blind} {
					if less.Reach != ReachUnknown && less.Reach != is.Reach {
						t.Fatalf("seed %d, domain %d, asset %d: %+v, and with more known %+v", seed, d, i, less, is)
					}
				}
				if (was.Reach == ReachUnknown) != (was.Doubt != 0) {
					t.Fatalf("seed %d, domain %d, asset %d: %+v", seed, d, i, was)
				}
				seen[was.Reach.String()]++
				// One that is nested in it by a layer that handles nothing of it is kept as much, if its scene is the same.
				if reach, _ := before.Reaches(d, d+1).Of(i); reach != was.Reach {
					t.Fatalf("seed %d: %s, and %s of all together", seed, was.Reach, reach)
				}
			}
		}
	}
	for _, word := range []string{"absent", "out_of_reach", "unknown", "within_reach"} {
		if seen[word] < 200 {
			t.Errorf("only %d are %s: %v", seen[word], word, seen)
		}
	}
}

// BenchmarkReaches concludes of 500 domains and 20 assets with 3 objects each, as one scan does.
func BenchmarkReaches(b *testing.B) {
	host := reachHost(newest)
	var a Assets
	for i := range int32(MaxAssets) {
		a.Assets = append(a.Assets, Asset{Name: fmt.Sprint(i), Paths: []string{"/a"}, Read: true, Write: true})
		for range 3 {
			a.Objects = append(a.Objects, Object{Asset: i, Kind: ObjectDirectory, Parent: -1})
		}
	}
	var domains []Domain
	for i := range int32(500) {
		domains = append(domains, Domain{ID: ID(i + 1), Parent: Outermost, Depth: 1, Lineage: LineageKnown,
			Handled: host.Rights.Sure, Ruleset: &Ruleset{}})
		places := make([]Place, len(a.Objects))
		for n := range places {
			places[n] = exactly(allFS)
		}
		a.Scenes = append(a.Scenes, Scene{i, places})
	}
	for b.Loop() {
		m := NewMeaning(host, domains, nil).WithAssets(a)
		for i := range int32(len(domains)) {
			m.Reaches(i, i+1)
		}
	}
}
