// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// placeJudge judges what the layers of one domain deny together.
type placeJudge struct {
	layers []layerGrants
	// doubt is why the layers are not wholly known.
	doubt domainid.Doubt
	// outer: there may be layers beside them.
	outer bool
	// nowhere are the rights that some layer grants nowhere: denied on every way.
	nowhere uint32
}

// layerGrants is what one layer grants to files.
type layerGrants struct {
	handled uint32
	// rules are what it grants where, by key. unread: there are others.
	rules  []keyedRule
	unread bool
	// at is the same by the first name of each rule's place.
	at map[uint64]uint32
	// unplaced is what rules grant that may lie below the directory that is judged.
	unplaced uint32
}

// keyedRule is a rule on a file as ways name it.
type keyedRule struct {
	key uint64
	// place is where it lies, nil if that is not known; dev is the file's filesystem.
	place []uint64
	dev   uint32
	fs    uint32
}

// everyFile is all rights to files.
func everyFile() uint32 { return access.Every()[access.FS] }

func newPlaceJudge(s *Source, domain int32, snap *scan.Snapshot) *placeJudge {
	j := &placeJudge{outer: !domainid.Whole(snap.Domains, domain)}
	for i := range domainid.Chain(snap.Domains, domain) {
		d := &snap.Domains[i]
		handled := access.Implied(d.Handled, s.state.Kernel.ABI)[access.FS]
		l := layerGrants{handled: handled, at: map[uint64]uint32{}}
		if d.Handled.Empty() && !d.HandlesOther {
			j.outer = true // it handles what nobody knows
		}
		book := s.rulebook.layers[d.ID]
		if l.unread = book == nil || book.rules.rules.InodesLeftOut > 0; l.unread {
			j.doubt |= domainid.RulesUnread
			j.layers = append(j.layers, l)
			continue
		}
		l.rules = book.rules.keys
		nowhere := l.handled
		for _, r := range l.rules {
			nowhere &^= r.fs
			if r.place != nil {
				l.at[r.place[0]] |= r.fs
			}
		}
		j.nowhere |= nowhere
		j.layers = append(j.layers, l)
	}
	if j.outer {
		j.doubt |= domainid.LayersUnknown
	}
	return j
}

// place judges one object, by what holds of it everywhere, and by the ways to it.
func (j *placeJudge) place(
	kind domainid.ObjectKind, object uint32, facts, ways *waySet,
) domainid.Place {
	all := domainid.FileRights{Sure: everyFile(), May: everyFile()}
	p := domainid.Place{Denied: all, Below: all}
	// Where there may be any way, or none, what is granted nowhere is denied all the same.
	anyWay := domainid.FileRights{Sure: j.nowhere, May: everyFile()}
	doubted := func(d domainid.Doubt) {
		p.Denied, p.Below = p.Denied.And(anyWay), p.Below.And(anyWay)
		p.Doubt |= d
	}
	if kind == domainid.ObjectUnreadable || (facts.bits|ways.bits)&wayUnread != 0 {
		doubted(domainid.WaysUnread)
	}
	for f := range facts.of(object) {
		switch {
		case f.bits&wayUnread != 0:
			doubted(domainid.WaysUnread)
		case f.bits&wayUnplaced != 0:
			doubted(domainid.Unplaced)
		case f.bits&wayMounted != 0:
			p.Below = p.Below.And(anyWay)
		}
	}
	below := j.findBelow(kind, object, facts)
	for w := range ways.of(object) {
		if w.bits&wayUnread != 0 {
			doubted(domainid.WaysUnread)
			continue
		}
		if w.bits&wayPart == 0 {
			p.Denied = p.Denied.And(j.denies(w.keys, nil, false))
		}
		p.Below = p.Below.And(j.deniesBelow(w, below))
	}
	if kind != domainid.ObjectDirectory {
		p.Below = p.Denied
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

// maxBelow is how many rules below a directory are looked at one by one; of the others it
// is not known what they come to.
const maxBelow = 64

// findBelow returns the rules that lie below an object, and notes in the layers what others
// grant that may.
func (j *placeJudge) findBelow(
	kind domainid.ObjectKind, object uint32, facts *waySet,
) (below []*keyedRule) {
	var name []uint64 // of the object, and its filesystem's device
	for f := range facts.of(object) {
		if f.bits&wayObject != 0 && len(f.keys) == 2 {
			name = f.keys
		}
	}
	for i := range j.layers {
		l := &j.layers[i]
		l.unplaced = 0
		if kind != domainid.ObjectDirectory {
			continue
		}
		for k := range l.rules {
			switch r := &l.rules[k]; {
			case name != nil && uint64(r.dev) != name[1]:
			case name == nil || r.place == nil || len(below) == maxBelow:
				l.unplaced |= r.fs
			case slices.Contains(r.place[1:], name[0]):
				below = append(below, r)
			}
		}
	}
	return below
}

// deniesBelow returns what the layers deny on what a way leads to, and on all that is below.
// There, rules grant what they grant at one of the places on which they lie.
func (j *placeJudge) deniesBelow(w *way, below []*keyedRule) domainid.FileRights {
	denied := j.denies(w.keys, nil, true)
	for _, r := range below {
		there := j.denies(w.keys, r.place, true)
		if w.bits&wayPart != 0 {
			there.May = everyFile() // it need not be in that part
		}
		denied = denied.And(there)
	}
	return denied
}

// denies returns what the layers deny together where rules of some keys lie, and those on a
// place; and on all that is below, as far as it is known where rules lie.
func (j *placeJudge) denies(keys, place []uint64, below bool) domainid.FileRights {
	var denied domainid.FileRights
	for i := range j.layers {
		l := &j.layers[i]
		granted := l.grants(keys)
		for _, name := range place {
			granted |= l.at[name]
		}
		denied.May |= l.handled &^ granted
		if below {
			granted |= l.unplaced
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
