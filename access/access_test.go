// SPDX-License-Identifier: Apache-2.0

package access

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	next := map[Class]uint8{}
	lastABI := map[Class]int{}
	seen := map[string]bool{}
	for i, r := range All() {
		switch {
		case r.Bit != next[r.Class]:
			t.Errorf("%s has bit %d, expected %d", r, r.Bit, next[r.Class])
		case i > 0 && r.Class < All()[i-1].Class:
			t.Errorf("%s stands behind a later class", r)
		case !strings.HasPrefix(r.Name, r.Class.String()+"."):
			t.Errorf("%s is of class %s", r, r.Class)
		case seen[r.Name]:
			t.Errorf("%s stands in the table twice", r)
		case r.ABI < lastABI[r.Class] || Release(r.ABI) == "":
			t.Errorf("%s came with ABI %d", r, r.ABI)
		case r.Meaning == "" || strings.ContainsAny(r.Meaning, ".|"):
			t.Errorf("%s: meaning %q", r, r.Meaning)
		}
		next[r.Class]++
		lastABI[r.Class] = r.ABI
		seen[r.Name] = true
	}
	if r, ok := Lookup("fs.refer"); !ok || r.Rights() != (Rights{FS: Refer}) {
		t.Errorf("fs.refer: %+v", r)
	}
}

func TestSupported(t *testing.T) {
	for _, c := range []struct {
		abi  int
		want Rights
	}{
		{-1, Rights{}},
		{0, Rights{}},
		{1, Rights{FS: 0x1fff}},
		{2, Rights{FS: 0x3fff}},
		{3, Rights{FS: 0x7fff}},
		{4, Rights{FS: 0x7fff, Net: 3}},
		{5, Rights{FS: 0xffff, Net: 3}},
		{6, Rights{FS: 0xffff, Net: 3, Scope: 3}},
		{8, Rights{FS: 0xffff, Net: 3, Scope: 3}},
		{9, Rights{FS: 0x1ffff, Net: 3, Scope: 3}},
		{10, Rights{FS: 0x1ffff, Net: 15, Scope: 3}},
		{1000, Rights{FS: 0x1ffff, Net: 15, Scope: 3}},
	} {
		if got := Supported(c.abi); got != c.want {
			t.Errorf("ABI %d: %+v, want %+v", c.abi, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		set  Rights
		want string
	}{
		{Rights{}, ""},
		{Rights{FS: 1<<31 | 1<<17 | 1<<16 | 2}, "fs.write_file fs.resolve_unix fs.bit17 fs.bit31"},
		{Rights{Scope: 7, Net: 1 << 4, FS: 1}, "fs.execute net.bit4 scope.abstract_unix_socket scope.signal scope.bit2"},
	} {
		if got := strings.Join(Names(c.set), " "); got != c.want {
			t.Errorf("%+v: %q, want %q", c.set, got, c.want)
		}
	}
}

// Every set is the union of its rights, and every right is found by its name.
func TestNamesAreComplete(t *testing.T) {
	for range 1000 {
		set := Rights{FS: rand.Uint32(), Net: rand.Uint32() & rand.Uint32(), Scope: rand.Uint32()}
		var union Rights
		names := Names(set)
		for i, r := range Of(set) {
			if found, ok := Lookup(r.Name); !ok || found != r || !r.In(set) || names[i] != r.Name {
				t.Fatalf("%+v: Lookup finds %+v", r, found)
			}
			union = union.Union(r.Rights())
		}
		if union != set {
			t.Fatalf("%+v became %+v", set, union)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, name := range []string{
		"", "fs", "fs.", "write_file", "fs.bit0", "fs.bit16", "fs.bit32", "fs.bit017", "fs.bit+17", "fs.bit-1", "fs.bit",
		"fs.bit99999999999999999999", "FS.WRITE_FILE", "invalid.bit17", "net.bit17 ", "scope.bit17.bit17",
	} {
		if r, ok := Lookup(name); ok {
			t.Errorf("%q is %+v", name, r)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct{ glob, want string }{
		{"net.*", "net.bind_tcp net.connect_tcp net.bind_udp net.connect_send_udp"},
		{"*.bind_???", "net.bind_tcp net.bind_udp"},
		{"scope.signal", "scope.signal"},
		{"*_unix*", "fs.resolve_unix scope.abstract_unix_socket"},
		{"fs", ""},
		{"", ""},
		{"fs.[", ""},
		{"[", ""},
	} {
		var got []string
		for _, r := range Match(c.glob) {
			got = append(got, r.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q matches %q, want %q", c.glob, got, c.want)
		}
	}
	if n := len(Match("*")); n != len(All()) {
		t.Errorf("* matches %d of %d rights", n, len(All()))
	}
}

func TestAllIsACopy(t *testing.T) {
	All()[0].Name = "changed"
	if slices.ContainsFunc(All(), func(r Right) bool { return r.Name == "changed" }) {
		t.Error("All shares its memory")
	}
}

func TestInvalidClass(t *testing.T) {
	r := Right{Class: NumClasses}
	if r.In(Rights{FS: 1, Net: 1, Scope: 1}) || r.Rights() != (Rights{}) || r.Class.String() != "invalid" {
		t.Errorf("%+v", r)
	}
}

func TestRights(t *testing.T) {
	a, b := Rights{FS: 0b110, Net: 0b011, Scope: 0b1}, Rights{FS: 0b011, Net: 0b011}
	for name, c := range map[string]struct{ got, want Rights }{
		"union":     {a.Union(b), Rights{FS: 0b111, Net: 0b011, Scope: 0b1}},
		"intersect": {a.Intersect(b), Rights{FS: 0b010, Net: 0b011}},
		"without":   {a.Without(b), Rights{FS: 0b100, Scope: 0b1}},
		"every":     {Every().Without(a).Union(a), Every()},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", name, c.got, c.want)
		}
	}
	if n := (Rights{FS: 0xffffffff, Net: 3, Scope: 1}).Count(); n != 35 {
		t.Errorf("%d rights", n)
	}
	if !a.Has(Rights{Net: 1}) || a.Has(b) || !a.Has(Rights{}) || a.Empty() || !(Rights{}).Empty() {
		t.Error("Has or Empty is wrong")
	}
}
