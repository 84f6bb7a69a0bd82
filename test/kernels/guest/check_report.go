// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/netns"
)

// reported are the kernel's types on whose layout landlockd relies.
var reported = []string{
	"landlock_cred_security", "landlock_ruleset", "landlock_domain", "landlock_hierarchy", "landlock_details",
	"access_masks", "layer_access_masks",
}

// checkReport states what this kernel is: whoever changes docs or layouts reads
// it in the matrix's output.
func checkReport(t *T) {
	t.Fact("release", release())
	t.Fact("lsm", strings.Join(modules(), ","))
	t.Fact("lockdown", firstLine("/sys/kernel/security/lockdown"))
	t.Must(netns.LoopbackUp()) // or nothing is known of ways past rights to ports
	k, err := landlock.Probe("/sys")
	switch {
	case err != nil:
		t.Fact("abi", err.Error())
	case k.Landlock != scan.Enabled:
		t.Fact("abi", k.Landlock)
	default:
		t.Fact("abi", k.ABI)
		r := k.Rights.Sure
		t.Fact("rights", fmt.Sprintf("fs=%#x net=%#x scope=%#x", r[access.FS], r[access.Net], r[access.Scope]))
		t.Fact("rights_unknown", strings.Join(access.Names(k.Rights.Unknown()), ","))
		t.Fact("errata", fmt.Sprintf("%#x known=%t", k.Errata, k.ErrataKnown))
		t.Fact("ways", fmt.Sprintf("open=%v unknown=%v", k.Ways.All(), k.WaysUnknown.All()))
	}
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatalf("BTF: %v", err)
	}
	for _, name := range reported {
		types, err := spec.AnyTypesByName(name)
		if err != nil {
			t.Fact(name, "absent")
			continue
		}
		for _, typ := range types {
			if s, ok := typ.(*btf.Struct); ok {
				t.Fact(name, members(s))
			}
		}
	}
}

// members lists offset and name of a structure's members, and the width of
// those that are bit fields.
func members(s *btf.Struct) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bytes:", s.Size)
	for _, m := range s.Members {
		name := m.Name
		if u, ok := m.Type.(*btf.Union); ok && name == "" {
			var alternatives []string
			for _, um := range u.Members {
				alternatives = append(alternatives, um.Name)
			}
			name = "{" + strings.Join(alternatives, "|") + "}"
		}
		fmt.Fprintf(&b, " %s+%d", name, m.Offset/8)
		if m.BitfieldSize > 0 {
			fmt.Fprintf(&b, ".%d:%d", m.Offset%8, m.BitfieldSize)
		}
	}
	return b.String()
}
