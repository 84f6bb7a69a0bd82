// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"unsafe"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// maxRuleBytes bounds the memory that the lists of rules may take together.
// Beyond it lists are left out: whoever can make many domains could give each
// rules of its own.
const maxRuleBytes = 8 << 20

// sharedRulesets keeps one of each ruleset: programs that are started often make
// a domain with the same rules every time.
type sharedRulesets struct {
	bySum map[[sha256.Size]byte]*sharedRuleset
	// of are the same by what take returned.
	of    map[*domainid.Ruleset]*sharedRuleset
	bytes int
}

type sharedRuleset struct {
	sum   [sha256.Size]byte
	rules *domainid.Ruleset
	uses  int
}

func newSharedRulesets() sharedRulesets {
	return sharedRulesets{bySum: map[[sha256.Size]byte]*sharedRuleset{}, of: map[*domainid.Ruleset]*sharedRuleset{}}
}

// take returns a ruleset that is equal to r, but for lists that there is no
// room for. It is released as often as it was taken.
func (s *sharedRulesets) take(r *domainid.Ruleset) *domainid.Ruleset {
	if s.bytes+listBytes(r) > maxRuleBytes {
		r.PortsLeftOut += uint32(len(r.Ports))
		r.InodesLeftOut += uint32(len(r.Inodes))
		r.Ports, r.Inodes = nil, nil
	}
	sum := sumOf(r)
	e := s.bySum[sum]
	if e == nil {
		e = &sharedRuleset{sum: sum, rules: r}
		s.bySum[sum], s.of[r] = e, e
		s.bytes += listBytes(r)
	}
	e.uses++
	return e.rules
}

func (s *sharedRulesets) release(r *domainid.Ruleset) {
	e := s.of[r]
	if e.uses--; e.uses > 0 {
		return
	}
	delete(s.bySum, e.sum)
	delete(s.of, r)
	s.bytes -= listBytes(r)
}

func listBytes(r *domainid.Ruleset) int {
	return len(r.Ports)*int(unsafe.Sizeof(domainid.PortRule{})) + len(r.Inodes)*int(unsafe.Sizeof(domainid.InodeRule{}))
}

func sumOf(r *domainid.Ruleset) (sum [sha256.Size]byte) {
	h := sha256.New()
	put(h, uint64(r.Rules), uint64(r.Everywhere[access.FS]), uint64(r.Everywhere[access.Net]), uint64(r.Everywhere[access.Scope]),
		uint64(r.PortsLeftOut), uint64(r.InodesLeftOut), uint64(len(r.Ports)))
	for _, p := range r.Ports {
		put(h, uint64(p.Port), uint64(p.Net))
	}
	for _, i := range r.Inodes {
		root := uint64(0)
		if i.FSRoot {
			root = 1
		}
		put(h, i.Dev, i.Ino, uint64(i.FS), root)
	}
	h.Sum(sum[:0])
	return sum
}

func put(h hash.Hash, numbers ...uint64) {
	var b [8]byte
	for _, n := range numbers {
		binary.NativeEndian.PutUint64(b[:], n)
		h.Write(b[:])
	}
}
