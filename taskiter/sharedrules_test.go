// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"testing"

	"github.com/landlockd/landlockd/access"
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
	a, b, c := s.take(rulesetOf(3, 1)), s.take(rulesetOf(3, 1)), s.take(rulesetOf(3, 2))
	if a != b || a == c || len(s.bySum) != 2 {
		t.Errorf("%p %p %p, %d rulesets", a, b, c, len(s.bySum))
	}
	s.release(a)
	if again := s.take(rulesetOf(3, 1)); again != a {
		t.Error("released too early")
	}
	s.release(a)
	s.release(a)
	s.release(c)
	if s.bytes != 0 || len(s.bySum) != 0 || len(s.of) != 0 {
		t.Errorf("%d bytes, %d and %d rulesets are left", s.bytes, len(s.bySum), len(s.of))
	}
}

// No two rulesets that differ in anything are taken for one.
func TestSharedRulesetsTellApart(t *testing.T) {
	s := newSharedRulesets()
	seen := map[*domainid.Ruleset]bool{}
	for _, r := range []domainid.Ruleset{
		{},
		{Rules: 1},
		{Everywhere: access.Rights{access.FS: 1}},
		{Everywhere: access.Rights{access.Net: 1}},
		{Everywhere: access.Rights{access.Scope: 1}},
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
		seen[s.take(&r)] = true
	}
	if len(seen) != 15 {
		t.Errorf("%d of 15 are told apart", len(seen))
	}
}

// TestSharedRulesetsBound: lists that there is no room for are left out, and
// counted.
func TestSharedRulesetsBound(t *testing.T) {
	s := newSharedRulesets()
	var all []*domainid.Ruleset
	leftOut := 0
	for i := range 1000 {
		r := s.take(rulesetOf(rulesMax, uint64(i)*rulesMax))
		if len(r.Inodes)+int(r.InodesLeftOut) != rulesMax || r.Rules != rulesMax {
			t.Fatalf("%d files and %d others", len(r.Inodes), r.InodesLeftOut)
		}
		if r.InodesLeftOut > 0 {
			leftOut++
		}
		all = append(all, r)
	}
	if s.bytes > maxRuleBytes || leftOut == 0 || leftOut == 1000 {
		t.Errorf("%d bytes, %d without lists", s.bytes, leftOut)
	}
	for _, r := range all {
		s.release(r)
	}
	if s.bytes != 0 || len(s.bySum) != 0 {
		t.Errorf("%d bytes are left", s.bytes)
	}
}
