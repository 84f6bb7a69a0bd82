// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

func TestBlockers(t *testing.T) {
	names := NewNames()
	seen := map[string]bool{}
	for b := range Blocker(NumBlockers) {
		name := b.String()
		if seen[name] || names.Lookup([]byte(name)) != b {
			t.Errorf("blocker %d is called %q, which is %d", b, name, names.Lookup([]byte(name)))
		}
		seen[name] = true
		var s Blockers
		s.Add(b)
		if got := s.Names(); !s.Has(b) || len(got) != 1 || got[0] != name {
			t.Errorf("the set of %s has %v", name, got)
		}
	}
	if len(seen) != NumBlockers || NumBlockers != 99 {
		t.Errorf("%d names of %d blockers", len(seen), NumBlockers)
	}
	for name, want := range map[string]Blocker{
		"fs.execute": 0, "fs.make_sym": 12, "fs.bit31": 31, "net.bind_tcp": 32, "scope.abstract_unix_socket": 64, "scope.signal": 65,
		"ptrace": 96, "fs.change_topology": 97, "unknown": 98, "": 98, "fs.no": 98, "fs.bit2": 98,
	} {
		if got := names.Lookup([]byte(name)); got != want {
			t.Errorf("%q is %d, want %d", name, got, want)
		}
	}
	for _, r := range access.All() {
		if got := RightBlocker(r.Class, r.Bit).String(); got != r.Name {
			t.Errorf("%s is called %s", r.Name, got)
		}
	}
	if RightBlocker(access.FS, 32) != Unknown || RightBlocker(17, 0) != Unknown {
		t.Error("a right that cannot be has a blocker")
	}
	if n := testing.AllocsPerRun(100, func() { names.Lookup([]byte("fs.write_file")) }); n != 0 {
		t.Errorf("%v allocations to find a name", n)
	}
}

func TestBlockerMasks(t *testing.T) {
	var s Blockers
	s.AddMask(access.FS, 1|1<<31)
	s.AddMask(access.Scope, 2)
	s.AddMask(access.Net, 0)
	if got := strings.Join(s.Names(), " "); got != "fs.execute fs.bit31 scope.signal" {
		t.Error(got)
	}
	var first []Blocker
	for b := range s.All() {
		first = append(first, b)
		break
	}
	if !slices.Equal(first, []Blocker{0}) {
		t.Errorf("%v", first)
	}
}

func TestSupported(t *testing.T) {
	all := access.Exactly(access.Supported(6))
	newer := access.Exactly(all.Sure.Union(access.Rights{access.FS: 1 << 30}))
	refused := access.Exactly(all.Sure.Without(access.Rights{access.Scope: 2}))
	for name, c := range map[string]struct {
		kernel scan.Kernel
		want   int
	}{
		"no Landlock":            {scan.Kernel{}, 0},
		"Landlock is off":        {scan.Kernel{Landlock: scan.Disabled, Rights: all}, 0},
		"all of an ABI":          {scan.Kernel{Landlock: scan.Enabled, Rights: all}, 16 + 2 + 2 + 2},
		"a right without a name": {scan.Kernel{Landlock: scan.Enabled, Rights: newer}, 16 + 1 + 2 + 2 + 2},
		"one that its ABI has":   {scan.Kernel{Landlock: scan.Enabled, ABI: 6, Rights: refused}, 16 + 2 + 1 + 2},
		"no right that is known": {scan.Kernel{Landlock: scan.Enabled, Rights: access.Anything()}, 2},
	} {
		s := Supported(c.kernel)
		if got := len(s.Names()); got != c.want {
			t.Errorf("%s: %d blockers, want %d", name, got, c.want)
		}
	}
}
