// SPDX-License-Identifier: Apache-2.0

package access

import (
	"fmt"
	"math/bits"
	"path"
	"slices"
)

// Right is one right.
type Right struct {
	Class Class
	// Bit is its place in the mask of its class, 0 to 31.
	Bit uint8
	// Name is what the kernel's audit log calls it, "fs.write_file"; or
	// "fs.bit17" if the table does not have it.
	Name string
	// ABI is the version of the Landlock interface that brought it, 0 if the table does
	// not have it. Release returns which Linux that was.
	ABI int
	// OnFile: a rule on a file that is no directory can grant it.
	OnFile bool
	// Meaning is what it allows, as the end of a sentence: "open a file for
	// writing". Empty if the table does not have it.
	Meaning string
}

func (r Right) String() string { return r.Name }

// Rights returns the set of this right alone.
func (r Right) Rights() Rights { return r.Class.Rights(1 << r.Bit) }

// In reports whether the right is in a set.
func (r Right) In(set Rights) bool { return r.Class < NumClasses && set[r.Class]>>r.Bit&1 != 0 }

// All returns every right with a name, by class and bit.
func All() []Right { return slices.Clone(table[:]) }

// Lookup returns the right of a name. A bit that the table does not have is called
// "fs.bit17"; one that it has is only found by its own name.
func Lookup(name string) (Right, bool) {
	named := func(r Right) bool { return r.Name == name }
	if i := slices.IndexFunc(table[:], named); i >= 0 {
		return table[i], true // without making up the names of all other bits
	}
	all := Of(Every())
	if i := slices.IndexFunc(all, named); i >= 0 {
		return all[i], true
	}
	return Right{}, false
}

// Of returns the rights of a set, by class and bit.
func Of(set Rights) []Right {
	n := 0
	for _, mask := range set {
		n += bits.OnesCount32(mask)
	}
	rights := make([]Right, 0, n)
	for c := range NumClasses {
		for mask := set[c]; mask != 0; mask &= mask - 1 {
			rights = append(rights, at(c, uint8(bits.TrailingZeros32(mask))))
		}
	}
	return rights
}

// Names returns the names of the rights of a set, by class and bit.
func Names(set Rights) []string {
	rights := Of(set)
	names := make([]string, len(rights))
	for i, r := range rights {
		names[i] = r.Name
	}
	return names
}

// Match returns the rights with a name that a shell pattern (*, ?, [a-z])
// matches as a whole, "net.*". A malformed pattern matches nothing.
func Match(glob string) []Right {
	var rights []Right
	for _, r := range table {
		if ok, _ := path.Match(glob, r.Name); ok {
			rights = append(rights, r)
		}
	}
	return rights
}

// Supported returns the rights that a version of the Landlock interface has, of
// those with a name: all of them for a later one, none for 0.
func Supported(abi int) Rights { return which(func(r Right) bool { return r.ABI <= abi }) }

// OnFiles returns the rights that a rule on a file, not on a directory, can
// grant.
func OnFiles() Rights { return which(func(r Right) bool { return r.OnFile }) }

func which(keep func(Right) bool) Rights {
	var set Rights
	for _, r := range table {
		if keep(r) {
			set = set.Union(r.Rights())
		}
	}
	return set
}

func at(c Class, bit uint8) Right {
	for i := range table {
		if r := &table[i]; r.Class == c && r.Bit == bit {
			return *r
		}
	}
	return Right{Class: c, Bit: bit, Name: fmt.Sprintf("%s.bit%d", c, bit)}
}
