// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// maxRulePasses is how often a scan looks for the rules of the same domain, each
// time through another of its tasks: the first may have gone.
const maxRulePasses = 3

// maxRuleScans is the number of scans that look for the same rules: those that
// still were not found are given up.
const maxRuleScans = 8

// allPorts is the number of ports but 0, which nothing can connect to.
const allPorts = 65535

// readRules notes in the record of every task that is in a domain which view of
// the rulebook it belongs to, and reads the views that are new. It returns the
// number of passes that this took: none in the steady state.
//
// It comes behind all other passes of a scan, so that a task is, at worst, no
// longer in the domain that its record says. Then nothing is read through it.
func (s *Source) readRules(groups []group) (int, error) {
	s.rulebook.begin()
	if s.rules == nil {
		return 0, nil
	}
	p := &s.pass
	for _, g := range groups {
		if g.verdict == outside {
			continue
		}
		for _, o := range p.order[g.lo:g.hi] {
			r := &p.tasks[uint32(o)]
			if r.domain != 0 && r.bits&taskDoubtful == 0 && s.counts(r) {
				r.view = s.rulebook.see(viewKey{s.nameOf(r.domain), r.root}, int32(uint32(o)))
			}
		}
	}
	for n := range maxRulePasses {
		wanted := s.wantRules(n)
		if wanted == nil {
			return n, nil
		}
		if err := iterate(int(s.rules.Fd()), s.buf, &rulesSink{source: s, wanted: wanted}); err != nil {
			return n, err
		}
	}
	return maxRulePasses, nil
}

// wantRules selects, for each view that was not read, the task number n of those
// in it. It returns nil if there is none.
func (s *Source) wantRules(n int) map[taskKey]int32 {
	var wanted map[taskKey]int32
	for _, v := range s.rulebook.now {
		if n == 0 && !v.tried {
			v.scans++
			// Before Linux 5.19 a domain can have more layers than are read.
			r := &s.pass.tasks[v.tasks[0]]
			v.tried = v.scans > maxRuleScans || s.pass.described[s.pass.domains[r.domain]].depth > ruleLayers
		}
		if v.tried || n >= v.numTasks {
			continue
		}
		if wanted == nil {
			wanted = map[taskKey]int32{}
			s.control.wantNone()
		}
		r := &s.pass.tasks[v.tasks[n]]
		wanted[r.key()] = v.tasks[n]
		s.control.want(r.tid)
	}
	return wanted
}

// rulesSink takes the records of one pass for rules.
type rulesSink struct {
	nullSink
	source *Source
	wanted map[taskKey]int32 // places in pass.tasks
	// chain are the keys of the domains whose rules came last, if they were taken.
	chain []uint64
}

func (k *rulesSink) rules(rec *rulesRecord) {
	s := k.source
	k.chain = nil
	place, ok := k.wanted[rec.task]
	if !ok {
		return // its number is only like that of one that is wanted
	}
	r := &s.pass.tasks[place]
	chain := s.chainOf(r)
	if rec.root != r.root || !rec.hasLayers(chain) {
		return // it has moved to another domain, or root directory, since
	}
	v := s.rulebook.now[r.view-1]
	v.tried = true
	if rec.bits&rulesUnfinished != 0 {
		return
	}
	k.chain = chain
	v.read, v.restricted = true, access.Rights{}
	for i, key := range chain {
		level := len(chain) - i
		handled := s.handled(s.pass.described[s.pass.domains[key]].mask)
		everywhere := rec.layers[level-1].grantsEverywhere().Intersect(handled)
		v.restricted = v.restricted.Union(handled.Without(everywhere))
		s.rulebook.keep(s.nameOf(key), func() *domainid.Ruleset {
			return rec.ruleset(level, handled, everywhere)
		})
	}
}

// launcher takes who made one of the domains whose rules came before.
func (k *rulesSink) launcher(key uint64, path []byte) {
	if slices.Contains(k.chain, key) {
		k.source.rulebook.keepLauncher(k.source.nameOf(key), path)
	}
}

// hasLayers says whether the record is of a domain with these keys, the
// innermost first.
func (r *rulesRecord) hasLayers(chain []uint64) bool {
	if int(r.numLayers) != len(chain) || len(chain) > ruleLayers {
		return false
	}
	for i, key := range chain {
		if r.layers[len(chain)-1-i].key != key {
			return false
		}
	}
	return true
}

// grantsEverywhere returns the rights that the layer's rules grant without bound,
// those that it does not handle among them.
func (l *layerEntry) grantsEverywhere() access.Rights {
	g := access.Rights{access.FS: l.everywhere}
	for bit, ports := range l.granted {
		if ports >= allPorts {
			g[access.Net] |= 1 << bit
		}
	}
	return g
}

// ruleset returns the rules of one layer.
func (r *rulesRecord) ruleset(level int, handled, everywhere access.Rights) *domainid.Ruleset {
	sums := &r.layers[level-1]
	rs := &domainid.Ruleset{Rules: sums.inodes + sums.ports, Everywhere: everywhere}
	var inodes, ports uint32
	for i := range r.entries() {
		e := r.entry(i)
		switch {
		case int(e.level) != level:
		case e.bits&rulePort != 0:
			ports++
			rs.Ports = append(rs.Ports, domainid.PortRule{Port: uint16(e.object), Net: e.access & handled[access.Net]})
		default:
			inodes++
			if e.object != 0 {
				rs.Inodes = append(rs.Inodes, domainid.InodeRule{
					Dev: userDev(e.dev), Ino: e.object, FS: e.access & handled[access.FS], FSRoot: e.bits&ruleFSRoot != 0,
				})
			}
		}
	}
	rs.PortsLeftOut, rs.InodesLeftOut = sums.ports-ports, sums.inodes-inodes
	slices.SortFunc(rs.Ports, func(a, b domainid.PortRule) int { return cmp.Compare(a.Port, b.Port) })
	slices.SortFunc(rs.Inodes, func(a, b domainid.InodeRule) int {
		return cmp.Or(cmp.Compare(a.Dev, b.Dev), cmp.Compare(a.Ino, b.Ino))
	})
	rs.Ports, rs.Inodes = slices.Clip(rs.Ports), slices.Clip(rs.Inodes)
	return rs
}

// userDev turns the kernel's number of a device into that of stat(2).
func userDev(dev uint32) uint64 {
	const minorBits = 20
	return unix.Mkdev(dev>>minorBits, dev&(1<<minorBits-1))
}
