// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"testing"

	"github.com/landlockd/landlockd/access"
)

func TestRestricted(t *testing.T) {
	domains := []Domain{
		{Parent: Outermost, Handled: access.Rights{access.FS: 0b0111, access.Net: 0b11}, Ruleset: &Ruleset{Everywhere: access.Rights{access.FS: 0b0011, access.Net: 0b01}}},
		{Parent: 0, Handled: access.Rights{access.FS: 0b0001, access.Scope: 0b1}, Ruleset: &Ruleset{}},
		{Parent: 1, Handled: access.Rights{access.FS: 0b1000}},
		{Parent: Outermost, Handled: access.Rights{access.FS: 0b0111}, Ruleset: &Ruleset{Everywhere: access.Rights{access.FS: ^uint32(0)}}},
		{Parent: 4, Handled: access.Rights{access.FS: 1}}, // of no kernel: a circle
		{Parent: 99},
	}
	for i, want := range map[int32]access.Rights{
		Outermost: {},
		0:         {access.FS: 0b0100, access.Net: 0b10},
		1:         {access.FS: 0b0101, access.Net: 0b10, access.Scope: 0b1},
		2:         {access.FS: 0b1101, access.Net: 0b10, access.Scope: 0b1},
		3:         {},
		4:         {access.FS: 1},
		5:         {},
		6:         {},
	} {
		if got := Restricted(domains, i); got != want {
			t.Errorf("domain %d restricts %+v, want %+v", i, got, want)
		}
	}
}
