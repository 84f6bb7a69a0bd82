// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"iter"
	"math/bits"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// Blocker is what denied an access: a right that a domain handles, or one of the
// two things that every domain denies.
type Blocker uint8

const bitsPerClass = 32

// The blockers: the bits of the three classes of rights, and what is no right.
const (
	// Ptrace: a task may only trace those in domains nested in its own.
	Ptrace = Blocker(access.NumClasses) * bitsPerClass
	// ChangeTopology: a task in a domain that handles a right to files may not mount.
	ChangeTopology Blocker = Ptrace + 1
	// Unknown is what the kernel calls by a name that the table does not have.
	Unknown Blocker = ChangeTopology + 1
	// NumBlockers is one more than the last.
	NumBlockers = int(Unknown) + 1
)

// RightBlocker returns the blocker that a right with this bit (0 to 31) is.
func RightBlocker(class access.Class, bit uint8) Blocker {
	if bit >= bitsPerClass || class >= access.NumClasses {
		return Unknown
	}
	return Blocker(class)*bitsPerClass + Blocker(bit)
}

// String returns the name in the kernel's audit log, "fs.bit17" for a right that
// the table does not have, or "unknown".
func (b Blocker) String() string {
	switch {
	case b < Ptrace:
		return access.Names(access.Class(b / bitsPerClass).Rights(1 << (b % bitsPerClass)))[0]
	case b == Ptrace:
		return "ptrace"
	case b == ChangeTopology:
		return "fs.change_topology"
	default:
		return "unknown"
	}
}

// Blockers is a set of blockers. The zero value is empty.
type Blockers [(NumBlockers + 63) / 64]uint64

// Add adds a blocker.
func (s *Blockers) Add(b Blocker) { s[b/64] |= 1 << (b % 64) }

// Has reports whether a blocker is in the set.
func (s *Blockers) Has(b Blocker) bool { return s[b/64]&(1<<(b%64)) != 0 }

// AddMask adds the rights of a class whose bits are set.
func (s *Blockers) AddMask(class access.Class, mask uint32) {
	for ; mask != 0; mask &= mask - 1 {
		s.Add(RightBlocker(class, uint8(bits.TrailingZeros32(mask))))
	}
}

// All returns the blockers in the set, in the order of the constants.
func (s *Blockers) All() iter.Seq[Blocker] {
	return func(yield func(Blocker) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(Blocker(i*64 + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// Names returns their names.
func (s *Blockers) Names() []string {
	var names []string
	for b := range s.All() {
		names = append(names, b.String())
	}
	return names
}

// Supported returns the blockers that a kernel can name: none without Landlock.
func Supported(k scan.Kernel) Blockers {
	var s Blockers
	if k.Landlock != scan.Enabled {
		return s
	}
	for class, mask := range k.Rights.Sure {
		s.AddMask(access.Class(class), mask)
	}
	s.Add(Ptrace)
	s.Add(ChangeTopology)
	return s
}

// Names finds blockers by their names. Looking up allocates nothing.
type Names map[string]Blocker

// NewNames returns the names of all blockers.
func NewNames() Names {
	n := make(Names, NumBlockers)
	for b := range Blocker(NumBlockers) {
		n[b.String()] = b
	}
	return n
}

// Lookup returns the blocker of a name, or Unknown.
func (n Names) Lookup(name []byte) Blocker {
	if b, ok := n[string(name)]; ok {
		return b
	}
	return Unknown
}
