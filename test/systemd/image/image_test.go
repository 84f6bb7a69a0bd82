// SPDX-License-Identifier: Apache-2.0

package image

import "testing"

func TestKey(t *testing.T) {
	a := Recipe{Release: "bookworm", Packages: []string{"b", "a"}}
	if b := (Recipe{Release: "bookworm", Packages: []string{"a", "b", "a", "systemd"}}); a.Key() != b.Key() {
		t.Errorf("the order of packages makes another image: %s, %s", a.Key(), b.Key())
	}
	for _, other := range []Recipe{{Release: "trixie", Packages: a.Packages}, {Release: "bookworm"}, {Release: "bookworm", Packages: []string{"a,b"}}} {
		if other.Key() == a.Key() {
			t.Errorf("%v and %v share %s", a, other, a.Key())
		}
	}
}
