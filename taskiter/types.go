// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// DescribeTypes returns a line for each of the structures in which any release stores
// domains, as the running kernel's type information has them: its size and its members with
// their offsets, in bytes and, behind a dot, bits. It needs no privilege.
func DescribeTypes() ([]string, error) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("the kernel's type information: %w", err)
	}
	var lines []string
	for _, name := range []string{
		"landlock_cred_security", "landlock_ruleset", "landlock_domain", "landlock_hierarchy",
		"landlock_details", "access_masks", "landlock_rules", "landlock_rule", "landlock_layer",
		"landlock_object",
	} {
		s, err := structByName(spec, name)
		if err != nil {
			lines = append(lines, name+": absent")
			continue
		}
		var b strings.Builder
		walkMembers(s.Members, 0, 0, func(m btf.Member, at btf.Bits) bool {
			fmt.Fprintf(&b, " %s+%d", m.Name, at/8)
			if m.BitfieldSize > 0 {
				fmt.Fprintf(&b, ".%d:%d", at%8, m.BitfieldSize)
			}
			return true
		})
		lines = append(lines, fmt.Sprintf("%s: %d bytes:%s", name, s.Size, b.String()))
	}
	return lines, nil
}
