// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// scenes are what the domains of a scan deny on its objects, each once.
type scenes struct {
	all []domainid.Scene
	at  map[sceneKey]int32
	// known are the places of scenes, from scan to scan: a domain never changes.
	known map[placesKey]*knownPlaces
	// ofAccount is how many each account has in this scan.
	ofAccount map[account]int
}

// scenesOfAccount is how many scenes the tasks of an account can have in a scan: nobody's
// domains take the time and the memory for those of others.
const scenesOfAccount = 1024

type sceneKey struct {
	domain int32
	ways   *waySet
}

type placesKey struct {
	domain domainid.ID
	ways   *waySet
}

// knownPlaces are those of a domain whose rules are known, in a scan with the same kinds
// of objects.
type knownPlaces struct {
	places []domainid.Place
	kinds  string
	scan   uint64
}

func newScenes() scenes {
	return scenes{
		at: map[sceneKey]int32{}, known: map[placesKey]*knownPlaces{}, ofAccount: map[account]int{},
	}
}

func (c *scenes) begin() {
	c.all = nil
	clear(c.at)
	clear(c.ofAccount)
}

// end forgets the places that no task of this scan has.
func (c *scenes) end(scan uint64) {
	for k, p := range c.known {
		if p.scan != scan {
			delete(c.known, k)
		}
	}
}

// sceneOf returns the number of a task's scene in the snapshot, or domainid.NoScene.
func (s *Source) sceneOf(r *taskRecord, domain int32, snap *scan.Snapshot) int32 {
	if len(s.objects) == 0 {
		return domainid.NoScene
	}
	ways := s.spaces.at(r.Space)
	key := sceneKey{domain, ways}
	n, ok := s.scenes.at[key]
	if !ok {
		a := account{r.Account, s.control.isFavoured(r.Pid)}
		if s.scenes.ofAccount[a]++; s.scenes.ofAccount[a] > scenesOfAccount {
			return domainid.NoScene
		}
		s.scenes.all = append(s.scenes.all, domainid.Scene{Domain: domain, Places: s.places(domain, ways, snap)})
		n = int32(len(s.scenes.all))
		s.scenes.at[key] = n
	}
	return n
}

// places returns what a domain denies on each of the scan's objects.
func (s *Source) places(domain int32, ways *waySet, snap *scan.Snapshot) []domainid.Place {
	key := placesKey{snap.Domains[domain].ID, ways}
	if p := s.scenes.known[key]; p != nil && p.kinds == s.kinds {
		p.scan = s.spaces.scan
		return p.places
	}
	j := newPlaceJudge(s, domain, snap)
	places := make([]domainid.Place, len(s.objects))
	for i, o := range s.objects {
		places[i] = j.place(o.Kind, uint32(i), ways)
	}
	if j.doubt == 0 {
		s.scenes.known[key] = &knownPlaces{places: places, kinds: s.kinds, scan: s.spaces.scan}
	}
	return places
}

// placeJudge judges what the layers of one domain deny.
type placeJudge struct {
	layers []layerGrants
	// doubt is why the layers are not wholly known.
	doubt domainid.Doubt
	// outer: there may be layers beside them.
	outer bool
}

// layerGrants is what one layer grants to files.
type layerGrants struct {
	handled uint32
	// rules are what it grants where, by key. unread: there are others.
	rules  []keyedRule
	unread bool
	// somewhere is what any rule grants.
	somewhere uint32
}

// keyedRule is a rule as ways name it.
type keyedRule struct {
	key uint64
	fs  uint32
}

// everyFile is all rights to files.
func everyFile() uint32 { return access.Every()[access.FS] }

func newPlaceJudge(s *Source, domain int32, snap *scan.Snapshot) *placeJudge {
	j := &placeJudge{outer: !domainid.Whole(snap.Domains, domain)}
	for i := range domainid.Chain(snap.Domains, domain) {
		d := &snap.Domains[i]
		l := layerGrants{handled: d.Handled[access.FS]}
		if d.Handled.Empty() && !d.HandlesOther {
			j.outer = true // it handles what nobody knows
		}
		if rules := s.rulebook.layers[d.ID]; rules != nil && rules.rules.rules.InodesLeftOut == 0 {
			l.rules = rules.rules.keys
		} else {
			l.unread = true
			j.doubt |= domainid.RulesUnread
		}
		for _, r := range l.rules {
			l.somewhere |= r.fs
		}
		j.layers = append(j.layers, l)
	}
	if j.outer {
		j.doubt |= domainid.LayersUnknown
	}
	return j
}

// place judges one object.
func (j *placeJudge) place(kind domainid.ObjectKind, object uint32, set *waySet) domainid.Place {
	all := domainid.FileRights{Sure: everyFile(), May: everyFile()}
	p := domainid.Place{Denied: all, Below: all}
	anywhere := j.denies(nil, true)
	if kind == domainid.ObjectUnreadable || set.bits&wayUnread != 0 {
		p.Denied.Sure, p.Below.Sure, p.Doubt = anywhere.Sure, anywhere.Sure, domainid.WaysUnread
	}
	for _, w := range set.ways {
		if w.object != object {
			continue
		}
		denied, below := j.denies(w.keys, false), j.denies(w.keys, true)
		if w.bits&(wayUnread|wayUnplaced) != 0 {
			// There may be any way, or none; what is granted nowhere is denied on each.
			denied = domainid.FileRights{Sure: anywhere.Sure, May: everyFile()}
			below = denied
		}
		if w.bits&wayUnread != 0 {
			p.Doubt |= domainid.WaysUnread
		}
		if w.bits&wayUnplaced != 0 {
			p.Doubt |= domainid.Unplaced
		}
		if w.bits&wayPart == 0 {
			p.Denied = p.Denied.And(denied)
		}
		if kind == domainid.ObjectDirectory {
			denied = below
		}
		p.Below = p.Below.And(denied)
	}
	switch {
	case p.Denied.Sure == p.Denied.May && p.Below.Sure == p.Below.May:
		p.Doubt = 0
	case p.Denied.Sure == p.Denied.May:
		p.Doubt |= j.doubt | domainid.Unplaced
	default:
		p.Doubt |= j.doubt
	}
	return p
}

// denies returns what the layers deny together where rules of some keys lie, and below:
// there, any rule may be.
func (j *placeJudge) denies(keys []uint64, below bool) domainid.FileRights {
	var denied domainid.FileRights
	for i := range j.layers {
		l := &j.layers[i]
		granted := l.grants(keys)
		denied.May |= l.handled &^ granted
		if below {
			granted |= l.somewhere
		}
		if !l.unread {
			denied.Sure |= l.handled &^ granted
		}
	}
	if j.outer {
		denied.May = everyFile()
	}
	return denied
}

// grants returns what the layer's rules of some keys grant.
func (l *layerGrants) grants(keys []uint64) uint32 {
	var granted uint32
	for _, key := range keys {
		i, found := slices.BinarySearchFunc(l.rules, key,
			func(r keyedRule, key uint64) int { return cmp.Compare(r.key, key) })
		if found {
			granted |= l.rules[i].fs
		}
	}
	return granted
}
