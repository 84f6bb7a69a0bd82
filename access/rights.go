// SPDX-License-Identifier: Apache-2.0

package access

import "math/bits"

// Rights is a set of rights: a mask for each [Class], one bit for each right,
// with the kernel's own numbering (include/uapi/linux/landlock.h:
// LANDLOCK_ACCESS_FS_*, LANDLOCK_ACCESS_NET_*, LANDLOCK_SCOPE_*).
type Rights [NumClasses]uint32

// Every is the set of all rights that can be expressed, those without a name
// among them.
func Every() Rights {
	var r Rights
	for c := range r {
		r[c] = ^uint32(0)
	}
	return r
}

// Union returns the rights in r or in o.
func (r Rights) Union(o Rights) Rights {
	for c := range r {
		r[c] |= o[c]
	}
	return r
}

// Intersect returns the rights in r and in o.
func (r Rights) Intersect(o Rights) Rights {
	for c := range r {
		r[c] &= o[c]
	}
	return r
}

// Without returns the rights in r that are not in o.
func (r Rights) Without(o Rights) Rights {
	for c := range r {
		r[c] &^= o[c]
	}
	return r
}

// Empty reports whether the set has no right.
func (r Rights) Empty() bool { return r == Rights{} }

// Has reports whether the set has all rights of o.
func (r Rights) Has(o Rights) bool { return o.Without(r).Empty() }

// Count returns the number of rights.
func (r Rights) Count() int {
	n := 0
	for _, mask := range r {
		n += bits.OnesCount32(mask)
	}
	return n
}
