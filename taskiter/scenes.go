// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// scenes are what the domains of a scan deny on its objects, each once.
type scenes struct {
	all []domainid.Scene
	at  map[sceneKey]int32
	// known are the places of scenes, from scan to scan: a domain seldom changes.
	known map[placesKey]*knownPlaces
	// ofAccount is what each account has had in this scan.
	ofAccount map[account]sceneBudget
	// refused: one of this scan was left out.
	refused bool
}

// sceneBudget is how many scenes the tasks of an account have, and what it took to judge
// them: nobody's domains take the memory and the time for those of others.
type sceneBudget struct {
	scenes int
	took   time.Duration
}

const scenesOfAccount = 1024

type sceneKey struct {
	domain int32
	ways   *waySet
}

type placesKey struct {
	domain domainid.ID
	ways   *waySet
}

// knownPlaces are those of a domain whose rules are known, in scans with such objects.
type knownPlaces struct {
	places []domainid.Place
	kinds  string
	facts  *waySet
	scan   uint64
}

func newScenes() scenes {
	return scenes{
		at: map[sceneKey]int32{}, known: map[placesKey]*knownPlaces{}, ofAccount: map[account]sceneBudget{},
	}
}

func (c *scenes) begin() {
	c.all, c.refused = nil, false
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
		n = s.addScene(r, key, snap)
		s.scenes.at[key] = n
	}
	return n
}

func (s *Source) addScene(r *taskRecord, key sceneKey, snap *scan.Snapshot) int32 {
	c, of := &s.scenes, account{r.Account, s.control.isFavoured(r.Pid)}
	spent := c.ofAccount[of]
	if spent.scenes++; spent.scenes > scenesOfAccount || spent.took > s.ruleTime {
		c.refused = true
		return domainid.NoScene
	}
	began := time.Now()
	c.all = append(c.all, domainid.Scene{Domain: key.domain, Places: s.places(key.domain, key.ways, snap)})
	spent.took += time.Since(began)
	c.ofAccount[of] = spent
	return int32(len(c.all))
}

// handlesKnown reports whether it is known what each layer of a domain handles. What was
// concluded of one whose rules changed since is no longer so.
func handlesKnown(domains []domainid.Domain, domain int32) bool {
	for i := range domainid.Chain(domains, domain) {
		if domains[i].Handled.Empty() && !domains[i].HandlesOther {
			return false
		}
	}
	return true
}

// places returns what a domain denies on each of the scan's objects.
func (s *Source) places(domain int32, ways *waySet, snap *scan.Snapshot) []domainid.Place {
	facts := s.spaces.facts()
	key := placesKey{snap.Domains[domain].ID, ways}
	p := s.scenes.known[key]
	if p != nil && p.kinds == s.kinds && p.facts == facts && handlesKnown(snap.Domains, domain) {
		p.scan = s.spaces.scan
		return p.places
	}
	j := newPlaceJudge(s, domain, snap)
	places := make([]domainid.Place, len(s.objects))
	for i, o := range s.objects {
		places[i] = j.place(o.Kind, uint32(i), facts, ways)
	}
	if j.doubt == 0 {
		s.scenes.known[key] = &knownPlaces{places: places, kinds: s.kinds, facts: facts, scan: s.spaces.scan}
	}
	return places
}
