// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"testing"

	"github.com/landlockd/landlockd/domainid"
)

func rulesetOf(n int, first uint64) *domainid.Ruleset {
	r := &domainid.Ruleset{Rules: uint32(n)}
	for i := range n {
		r.Inodes = append(r.Inodes, domainid.InodeRule{Ino: first + uint64(i)})
	}
	return r
}

func TestSharedRulesets(t *testing.T) {
	s := newSharedRulesets()
	a, b, c := s.take(1, rulesetOf(3, 1), nil), s.take(2, rulesetOf(3, 1), nil), s.take(1, rulesetOf(3, 2), nil)
	if a != b || a == c || len(s.bySum) != 2 {
		t.Errorf("%p %p %p, %d rulesets", a, b, c, len(s.bySum))
	}
	s.release(a)
	if again := s.take(1, rulesetOf(3, 1), nil); again != a {
		t.Error("released too early")
	}
	s.release(a)
	s.release(a)
	s.release(c)
	if s.bytes != 0 || len(s.bySum) != 0 || len(s.byAccount) != 0 {
		t.Errorf("%d bytes, %d and %d rulesets are left", s.bytes, len(s.bySum), len(s.byAccount))
	}
}

// No two rulesets that differ in anything are taken for one.
func TestSharedRulesetsTellApart(t *testing.T) {
	s := newSharedRulesets()
	seen := map[*sharedRuleset]bool{}
	for _, r := range []domainid.Ruleset{
		{},
		{Rules: 1},
		{EveryPort: 1},
		{PortsLeftOut: 1},
		{InodesLeftOut: 1},
		{Ports: []domainid.PortRule{{Port: 1}}},
		{Ports: []domainid.PortRule{{Net: 1}}},
		{Ports: []domainid.PortRule{{}, {}}},
		{Inodes: []domainid.InodeRule{{Dev: 1}}},
		{Inodes: []domainid.InodeRule{{Ino: 1}}},
		{Inodes: []domainid.InodeRule{{FS: 1}}},
		{Inodes: []domainid.InodeRule{{FSRoot: true}}},
		{Inodes: []domainid.InodeRule{{}}},
	} {
		seen[s.take(1, &r, nil)] = true
	}
	if len(seen) != 13 {
		t.Errorf("%d of 13 are told apart", len(seen))
	}
}

// TestSharedRulesetsBound: lists that there is no room for are left out, and
// counted: those of whoever has most. Snapshots keep theirs.
func TestSharedRulesetsBound(t *testing.T) {
	const flooder, victim = 1000, 2000
	s := newSharedRulesets()
	var all []*sharedRuleset
	own := s.take(victim, rulesetOf(rulesMax, 1<<40), nil)
	before := own.rules
	first := s.take(flooder, rulesetOf(rulesMax, 0), nil)
	shown := first.rules
	all = append(all, own, first)
	for i := range 1000 {
		all = append(all, s.take(flooder, rulesetOf(rulesMax, uint64(i+1)*uint64(rulesMax)), nil))
		if s.bytes > maxRuleBytes {
			t.Fatalf("%d bytes", s.bytes)
		}
	}
	late := s.take(victim, rulesetOf(rulesMax, 1<<41), nil)
	all = append(all, late)
	leftOut := 0
	for _, e := range all {
		r := e.rules
		if len(r.Inodes)+int(r.InodesLeftOut) != rulesMax || int(r.Rules) != rulesMax {
			t.Fatalf("%d files and %d others", len(r.Inodes), r.InodesLeftOut)
		}
		if r.InodesLeftOut > 0 {
			leftOut++
		}
	}
	if leftOut == 0 || leftOut > 1000 || own.rules != before || len(late.rules.Inodes) != rulesMax || len(shown.Inodes) != rulesMax {
		t.Errorf("%d without lists; the victim's have %d and %d files", leftOut, len(own.rules.Inodes), len(late.rules.Inodes))
	}
	for _, e := range all {
		s.release(e)
	}
	if s.bytes != 0 || len(s.bySum) != 0 || len(s.byAccount) != 0 {
		t.Errorf("%d bytes are left", s.bytes)
	}
}
