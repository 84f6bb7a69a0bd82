// SPDX-License-Identifier: Apache-2.0

// Package slots chooses the workloads that have series of their own, so that nobody who
// can invent names makes many series, or takes those of others.
package slots

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/scan"
)

// slotKept is how long a workload that went keeps its slot, and the time in which
// names that users choose get a bounded number of slots.
const slotKept = time.Hour

// Slots remembers from one assignment to the next which workloads have series of their
// own, so that they keep them and that users cannot make many. Whoever has an account
// can invent names of executables and of user units: those give way to all others, and
// after the first assignment only a fifth of the limit get a slot in an hour.
//
// The choice looks at names, at rules and at what is sandboxed, never at how many
// processes a workload has: with that, workloads near the limit would come and go.
//
// The zero value is for a first assignment. It is safe for concurrent use, and holds as
// many names as the limit is.
type Slots struct {
	mu    sync.Mutex
	begun bool
	now   time.Time // of the latest snapshot
	held  map[string]*slot
	// given are the slots that names of users' choice got in the last slotKept.
	given []gift
}

type slot struct {
	class       class
	gone        bool
	since, seen time.Time
}

type gift struct {
	at           time.Time
	ruled, ended bool
}

// class orders workloads; a lower one can make a higher one yield.
type class uint8

const (
	// ruledOfHost: a rule is about it, and the host named it.
	ruledOfHost class = iota
	// favoured: a rule is about it, and users can invent the name. Only a fifth of
	// the limit is: a rule about everything must not let users push out units.
	favoured
	ofHost
	// ruledBeyond: as favoured, beyond that fifth.
	ruledBeyond
	ofUser
	ofProgram
	// idleOfHost and idle: it went slotKept ago, or none of it was seen alive. It keeps its
	// slot while nobody else needs it.
	idleOfHost
	idle
)

// Claim is a workload that may have a series.
type Claim struct {
	Label string
	// Index is the caller's.
	Index  int
	Naming scan.Naming
	// Ruled reports whether a rule is about it.
	Ruled     bool
	Sandboxed bool
	// Gone reports whether it has no process left. Without a claim a slot is free slotKept
	// after the last one; with one of what is gone, others may then have it.
	Gone bool
	// Ended: it is Gone, and no snapshot had it since it has a slot. Nobody yields to it.
	Ended bool
	class class
}

// invented reports whether users can choose the name.
func (c *Claim) invented() bool { return c.Naming != scan.NamedByHost }

// Assign gives slots at the time of a snapshot, and returns the claims that have none.
// It changes the order of claims.
func (s *Slots) Assign(now time.Time, limit int, claims []Claim) []Claim {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.now) {
		s.now = now
	}
	s.forget(claims)
	fifth := max(1, limit/5)
	s.classify(claims, fifth)
	for i := range claims {
		c := &claims[i]
		h := s.held[c.Label]
		if h == nil && s.mayHave(c, fifth) && s.makeRoom(c.class, limit) {
			h = &slot{since: s.now, seen: s.now}
			s.held[c.Label] = h
			if s.begun && c.invented() {
				s.given = append(s.given, gift{s.now, c.Ruled, c.Ended})
			}
		}
		if h != nil {
			h.class = c.class
		}
	}
	s.begun = true
	// Only now: a claim may have yielded to a later one.
	return slices.DeleteFunc(claims, func(c Claim) bool { return s.held[c.Label] != nil })
}

// forget drops what was given, and what was last claimed, slotKept ago.
func (s *Slots) forget(claims []Claim) {
	if s.held == nil {
		s.held = map[string]*slot{}
	}
	for i := range claims {
		c := &claims[i]
		if h := s.held[c.Label]; h != nil {
			if h.gone = c.Gone; !c.Gone {
				h.seen = s.now
			}
		}
	}
	maps.DeleteFunc(s.held, func(_ string, h *slot) bool { return !h.gone && s.old(h) })
	s.given = slices.DeleteFunc(s.given, func(g gift) bool { return s.now.Sub(g.at) >= slotKept })
}

// old reports whether a workload went slotKept ago.
func (s *Slots) old(h *slot) bool { return s.now.Sub(h.seen) >= slotKept }

// classify gives all claims their class, and puts them in order: those that hold a
// slot, and then by class, by what is sandboxed, and by name.
func (s *Slots) classify(claims []Claim, fifth int) {
	room := fifth
	for _, h := range s.held {
		if h.class == favoured {
			room--
		}
	}
	order.By(claims, func(a, b Claim) int {
		return cmp.Or(trueFirst(s.held[a.Label] != nil)-trueFirst(s.held[b.Label] != nil),
			trueFirst(a.Sandboxed)-trueFirst(b.Sandboxed), strings.Compare(a.Label, b.Label))
	})
	for i := range claims {
		c := &claims[i]
		h := s.held[c.Label]
		switch {
		case c.Ended || h != nil && h.gone && s.old(h):
			if c.class = idle; !c.invented() {
				c.class = idleOfHost
			}
		case c.Ruled && !c.invented():
			c.class = ruledOfHost
		case c.Ruled && h != nil && h.class == favoured:
			c.class = favoured
		case c.Ruled && room > 0:
			c.class = favoured
			room--
		case !c.invented():
			c.class = ofHost
		case c.Ruled:
			c.class = ruledBeyond
		case c.Naming == scan.NamedByUser:
			c.class = ofUser
		default:
			c.class = ofProgram
		}
	}
	order.StableBy(claims, func(a, b Claim) int {
		return cmp.Or(trueFirst(s.held[a.Label] != nil)-trueFirst(s.held[b.Label] != nil),
			cmp.Compare(a.class, b.class))
	})
}

// mayHave reports whether a name that has no slot may have one now. Users' names may
// have a fifth of the limit in an hour, those that ended apart from those that run; a quarter
// of that waits for those that a rule is about.
func (s *Slots) mayHave(c *Claim, fifth int) bool {
	if !s.begun || !c.invented() {
		return true
	}
	given, plain := 0, 0
	for _, g := range s.given {
		if g.ended != c.Ended {
			continue
		}
		given++
		if !g.ruled {
			plain++
		}
	}
	return given < fifth && (c.Ruled || plain < fifth-fifth/4)
}

// makeRoom reports whether one more of a class can have a slot: there is one, or the
// youngest of the last class yields.
func (s *Slots) makeRoom(of class, limit int) bool {
	if len(s.held) < limit {
		return true
	}
	victim := ""
	for label, h := range s.held {
		if h.class > of && (victim == "" || s.yields(label, victim)) {
			victim = label
		}
	}
	if victim == "" {
		return false
	}
	delete(s.held, victim)
	return true
}

// yields reports whether the first of two yields before the second.
func (s *Slots) yields(a, b string) bool {
	x, y := s.held[a], s.held[b]
	return cmp.Or(cmp.Compare(x.class, y.class), x.since.Compare(y.since), strings.Compare(a, b)) > 0
}

// trueFirst puts what is true first.
func trueFirst(b bool) int {
	if b {
		return 0
	}
	return 1
}
