// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"
)

// ruleQueue is the domains whose rules are to be read, by the account of who is
// in them, as places in pass.described.
type ruleQueue struct {
	accounts []account // set by rotate
	domains  map[account][]int32
	// hopeless is the number of domains whose rules are not asked for any more.
	hopeless int
}

func newRuleQueue() *ruleQueue { return &ruleQueue{domains: map[account][]int32{}} }

func (q *ruleQueue) add(d int32, a account) { q.domains[a] = append(q.domains[a], d) }

// compareAccounts has the favoured ones stand first.
func compareAccounts(a, b account) int {
	switch {
	case a.favoured && !b.favoured:
		return -1
	case b.favoured && !a.favoured:
		return 1
	default:
		return cmp.Compare(a.uid, b.uid)
	}
}

// rotate orders the accounts, and has another account come first in each scan, among those that are
// favoured and among the others: there may be time for some only.
func (q *ruleQueue) rotate(scan uint64) {
	q.accounts = slices.SortedFunc(maps.Keys(q.domains), compareAccounts)
	others := slices.IndexFunc(q.accounts, func(a account) bool { return !a.favoured })
	if others < 0 {
		others = len(q.accounts)
	}
	for _, of := range [][]account{q.accounts[:others], q.accounts[others:]} {
		if n := len(of); n > 1 {
			first := int(scan % uint64(n))
			copy(of, append(slices.Clone(of[first:]), of[:first]...))
		}
	}
}

func (q *ruleQueue) len() int {
	n := 0
	for _, of := range q.domains {
		n += len(of)
	}
	return n
}

// turns yields the domains with the number of the turn: one of each account, then
// the next of each.
func (q *ruleQueue) turns() iter.Seq2[int, int32] {
	return func(yield func(int, int32) bool) {
		for turn, more := 0, true; more; turn++ {
			more = false
			for _, a := range q.accounts {
				if of := q.domains[a]; turn < len(of) {
					more = true
					if !yield(turn, of[turn]) {
						return
					}
				}
			}
		}
	}
}

// settle notes what came of a pass: domains that are read go, and those of which
// nothing came are tried through another task, or no more in this scan.
func (q *ruleQueue) settle(s *Source, k *rulesSink) {
	late := !time.Now().Before(k.deadline)
	for _, d := range k.wanted {
		h := &s.holders[d]
		if h.outcome != nothingCame || late { // it may not have been looked at
			continue
		}
		if h.tried++; h.tried >= h.num {
			h.tried, h.outcome = 0, givenUp
			s.rulebook.readings[s.nameOf(s.pass.described[d].Key)].misses++
			q.hopeless++
		}
	}
	for a, of := range q.domains {
		q.domains[a] = slices.DeleteFunc(of, func(d int32) bool { return s.holders[d].outcome >= allCame })
	}
}
