// SPDX-License-Identifier: Apache-2.0

package domainid

import "testing"

func TestRestricted(t *testing.T) {
	domains := []Domain{
		{Parent: Outermost, Handled: Rights{FS: 0b0111, Net: 0b11}, Ruleset: &Ruleset{Everywhere: Rights{FS: 0b0011, Net: 0b01}}},
		{Parent: 0, Handled: Rights{FS: 0b0001, Scope: 0b1}, Ruleset: &Ruleset{}},
		{Parent: 1, Handled: Rights{FS: 0b1000}},
		{Parent: Outermost, Handled: Rights{FS: 0b0111}, Ruleset: &Ruleset{Everywhere: Rights{FS: ^uint32(0)}}},
		{Parent: 4, Handled: Rights{FS: 1}}, // of no kernel: a circle
		{Parent: 99},
	}
	for i, want := range map[int32]Rights{
		Outermost: {},
		0:         {FS: 0b0100, Net: 0b10},
		1:         {FS: 0b0101, Net: 0b10, Scope: 0b1},
		2:         {FS: 0b1101, Net: 0b10, Scope: 0b1},
		3:         {},
		4:         {FS: 1},
		5:         {},
		6:         {},
	} {
		if got := Restricted(domains, i); got != want {
			t.Errorf("domain %d restricts %+v, want %+v", i, got, want)
		}
	}
}

func TestRightsOperations(t *testing.T) {
	a, b := Rights{FS: 0b110, Net: 0b011, Scope: 0b1}, Rights{FS: 0b011, Net: 0b011, Scope: 0}
	for name, c := range map[string]struct{ got, want Rights }{
		"union":     {a.Union(b), Rights{FS: 0b111, Net: 0b011, Scope: 0b1}},
		"intersect": {a.Intersect(b), Rights{FS: 0b010, Net: 0b011}},
		"without":   {a.Without(b), Rights{FS: 0b100, Scope: 0b1}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", name, c.got, c.want)
		}
	}
}
