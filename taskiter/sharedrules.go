// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"crypto/sha256"
	"encoding/binary"
	"unsafe"

	"github.com/landlockd/landlockd/domainid"
)

// maxRuleBytes bounds the memory that the lists of rules may take together.
// Beyond it lists are left out: whoever can make many domains could give each
// rules of its own. Those of whoever has most of them go first.
const maxRuleBytes = 8 << 20

// sharedRulesets keeps one of each ruleset: programs that are started often make
// a domain with the same rules every time.
type sharedRulesets struct {
	bySum map[[sha256.Size]byte]*sharedRuleset
	bytes int
	// byAccount is the size of the lists that each account brought.
	byAccount map[uint32]int
}

// sharedRuleset is one that is kept. If there is no room for its lists, rules becomes a
// copy without them, which has how long they were.
type sharedRuleset struct {
	sum     [sha256.Size]byte
	rules   *domainid.Ruleset
	keys    []keyedRule // of rules.Inodes, ascending
	account uint32
	uses    int
}

func newSharedRulesets() sharedRulesets {
	return sharedRulesets{bySum: map[[sha256.Size]byte]*sharedRuleset{}, byAccount: map[uint32]int{}}
}

// take keeps a ruleset on an account. It is released as often as it was taken.
func (s *sharedRulesets) take(account uint32, r *domainid.Ruleset, keys []keyedRule) *sharedRuleset {
	sum := sumOf(r, keys)
	e := s.bySum[sum]
	if e == nil {
		e = &sharedRuleset{sum: sum, rules: r, keys: keys, account: account}
		s.bySum[sum] = e
		s.charge(account, listBytes(r, keys))
		for s.bytes > maxRuleBytes {
			s.leaveOut()
		}
	}
	e.uses++
	return e
}

func (s *sharedRulesets) release(e *sharedRuleset) {
	if e.uses--; e.uses == 0 {
		delete(s.bySum, e.sum)
		s.charge(e.account, -listBytes(e.rules, e.keys))
	}
}

func (s *sharedRulesets) charge(account uint32, bytes int) {
	s.bytes += bytes
	if s.byAccount[account] += bytes; s.byAccount[account] == 0 {
		delete(s.byAccount, account)
	}
}

// leaveOut leaves out about half of the lists of the account that has most of them.
func (s *sharedRulesets) leaveOut() {
	most, left := uint32(0), 0
	for account, bytes := range s.byAccount {
		if bytes > left {
			most, left = account, bytes
		}
	}
	goal := left / 2
	for _, e := range s.bySum {
		bytes := listBytes(e.rules, e.keys)
		if e.account != most || bytes == 0 {
			continue
		}
		// Snapshots have the one with the lists, so that it must not change.
		bare := *e.rules
		bare.PortsLeftOut += uint32(len(bare.Ports))
		bare.InodesLeftOut += uint32(len(bare.Inodes))
		bare.Ports, bare.Inodes = nil, nil
		e.rules, e.keys = &bare, nil
		if s.charge(most, -bytes); s.byAccount[most] <= goal {
			return
		}
	}
}

func listBytes(r *domainid.Ruleset, keys []keyedRule) int {
	bytes := len(r.Ports)*int(unsafe.Sizeof(domainid.PortRule{})) +
		len(r.Inodes)*int(unsafe.Sizeof(domainid.InodeRule{})) + len(keys)*int(unsafe.Sizeof(keyedRule{}))
	for _, k := range keys {
		bytes += 8 * len(k.place)
	}
	return bytes
}

func sumOf(r *domainid.Ruleset, keys []keyedRule) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range []any{
		r.Rules, r.EveryPort, r.PortsLeftOut, r.InodesLeftOut, uint32(len(r.Ports)), r.Ports, r.Inodes,
	} {
		_ = binary.Write(h, binary.NativeEndian, part) // it fails for what has no size alone
	}
	for _, k := range keys {
		_ = binary.Write(h, binary.NativeEndian, append([]uint64{k.key, uint64(k.fs)}, k.place...))
	}
	h.Sum(sum[:0])
	return sum
}
