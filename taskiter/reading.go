// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/order"
)

// allPorts is the number of ports but 0, which nothing can connect to.
const allPorts = 65535

// reading is the rules of one domain as far as they came: in batches, over
// several passes and scans.
type reading struct {
	// scan is the last one that had the domain.
	scan uint64
	// levels are the layers that are read: bit n is the one at depth n+1.
	levels uint32
	// tree and from are where the next rule is looked for.
	tree uint32
	from uint64
	// layers are what came, the outermost first; kept is the number of their
	// rules that are kept.
	layers  []layerReading
	kept    int
	account account
	// misses is the number of scans in a row in which nothing came.
	misses int
}

// layerReading is what came of one layer.
type layerReading struct {
	ports, inodes uint32
	// granted is the number of ports, without port 0, on which each right is.
	granted [netRights]uint32
	rules   domainid.Ruleset
	keys    []keyedRule // of rules.Inodes
}

// goesOnFrom reports whether a batch is of what comes next.
func (r *reading) goesOnFrom(rec *rulesRecord) bool {
	return int(rec.NumLayers) == len(r.layers) &&
		(rec.Tree > r.tree || rec.Tree == r.tree && rec.Next >= r.from)
}

// add takes the next batch, with the places of its rules, and reports whether it was the last
// one. The handled rights are those of the layers, the outermost first.
func (r *reading) add(
	rec *rulesRecord, rules []ruleEntry, places placesOfRules, handled []access.Rights,
) (done bool) {
	for _, e := range rules {
		if e.Level >= 1 && int(e.Level) <= len(r.layers) {
			r.addRule(&r.layers[e.Level-1], e, places, handled[e.Level-1])
		}
	}
	r.tree, r.from, r.misses = rec.Tree, rec.Next, 0
	return rec.Done != 0
}

func (r *reading) addRule(
	l *layerReading, e ruleEntry, places placesOfRules, handled access.Rights,
) {
	room := r.kept < rulesMax
	if e.Bits&rulePort != 0 {
		l.ports++
		for bit := range l.granted {
			if e.Object != 0 && e.Access>>bit&1 != 0 {
				l.granted[bit]++
			}
		}
		if room {
			r.kept++
			rule := domainid.PortRule{Port: uint16(e.Object), Net: e.Access & handled[access.Net]}
			l.rules.Ports = append(l.rules.Ports, rule)
		}
		return
	}
	l.inodes++
	if room && e.Object != 0 {
		r.kept++
		key, place := places.at(e.Place)
		l.keys = append(l.keys, keyedRule{key, place, e.Dev, e.Access & handled[access.FS]})
		l.rules.Inodes = append(l.rules.Inodes, domainid.InodeRule{
			Dev: userDev(e.Dev), Ino: e.Object,
			FS: e.Access & handled[access.FS], FSRoot: e.Bits&ruleFSRoot != 0,
		})
	} else if e.Object != 0 {
		l.rules.InodesLeftOut++
	}
}

// ruleset returns the rules of the layer at a depth, all of which came, and their keys.
func (r *reading) ruleset(depth int, handled access.Rights) (*domainid.Ruleset, []keyedRule) {
	l := &r.layers[depth-1]
	rs := &l.rules
	rs.Rules = l.ports + l.inodes
	rs.PortsLeftOut = l.ports - uint32(len(rs.Ports))
	for bit, ports := range l.granted {
		if ports >= allPorts {
			rs.EveryPort |= 1 << bit & handled[access.Net]
		}
	}
	order.By(rs.Ports, func(a, b domainid.PortRule) int { return cmp.Compare(a.Port, b.Port) })
	order.By(rs.Inodes, func(a, b domainid.InodeRule) int {
		return cmp.Or(cmp.Compare(a.Dev, b.Dev), cmp.Compare(a.Ino, b.Ino))
	})
	order.By(l.keys, func(a, b keyedRule) int { return cmp.Compare(a.key, b.key) })
	rs.Ports, rs.Inodes = slices.Clip(rs.Ports), slices.Clip(rs.Inodes)
	return rs, slices.Clip(l.keys)
}

// userDev turns the kernel's number of a device into that of stat(2).
func userDev(dev uint32) uint64 {
	const minorBits = 20
	return unix.Mkdev(dev>>minorBits, dev&(1<<minorBits-1))
}
