// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"errors"
	"slices"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/access"
)

// ofHierarchy are the members of struct landlock_hierarchy until Linux 7.3. None of them has
// a domain deny less than its layers and rules say, or changes what they say.
var ofHierarchy = []string{
	"parent", "usage", "id", "details", "log_status", "num_denials", "log_same_exec",
	"log_new_exec", "quiet_masks",
}

// resolveSigns notes where a domain may have what came later: supervisors that add rules to
// it, a mode in which it denies nothing. What that will be called nobody knows, so each member
// that is not known here is a sign of it where it is set. It returns the names of all that is
// not known here of what the kernel keeps of domains.
func resolveSigns(spec *btf.Spec, l *layout) (newer []string, err error) {
	r := &resolver{spec: spec}
	domain, _ := r.domain()
	hierarchy := r.pointee(r.need(domain, "hierarchy"))
	element, _ := r.masks(domain)
	if masks, ok := btf.As[*btf.Struct](element.typ); ok {
		for _, m := range masks.Members {
			if _, known := access.ClassOf(m.Name); !known {
				newer = append(newer, masks.Name+"."+m.Name)
			}
		}
	}
	words := map[btf.Bits]uint32{}
	walkMembers(hierarchy.Members, 0, 0, func(m btf.Member, at btf.Bits) bool {
		if !slices.Contains(ofHierarchy, m.Name) {
			newer = append(newer, hierarchy.Name+"."+m.Name)
			for end := at + signBits(m); at < end; {
				next := min(end, (at/32+1)*32)
				words[at/32] |= wordBits(at%32, next-at)
				at = next
			}
		}
		return true
	})
	if len(words) > len(l.SignAt) {
		return newer, errors.New("struct landlock_hierarchy has too many members that are not known here")
	}
	for at, bits := range words {
		n := len(words) - 1
		for l.Signs>>n&1 != 0 {
			n--
		}
		l.Signs |= 1 << n
		l.SignAt[n], l.SignBits[n] = uint32(at*4), bits
	}
	return newer, r.err
}

// signBits returns how many bits of a member are a sign if one is set; 0 for what is set of
// every domain: counts, IDs, and structures as locks and lists are.
func signBits(m btf.Member) btf.Bits {
	size, err := btf.Sizeof(m.Type)
	_, pointer := btf.As[*btf.Pointer](m.Type)
	_, number := btf.As[*btf.Int](m.Type)
	_, word := btf.As[*btf.Enum](m.Type)
	switch {
	case m.BitfieldSize > 0:
		return m.BitfieldSize
	case err != nil || !pointer && (size > 4 || !number && !word):
		return 0
	default:
		return btf.Bits(size * 8)
	}
}

// wordBits returns the mask of some bits of a word, counted as BTF does.
func wordBits(from, width btf.Bits) uint32 {
	if bigEndian {
		from = 32 - from - width
	}
	return uint32((uint64(1)<<width - 1) << from)
}

// Newer returns the names of what this kernel keeps of domains and is not known here, as its
// type information has them: what a domain denies that makes use of it is unknown.
func (s *Source) Newer() []string { return s.state.Newer }
