// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// slotKept is how long a workload that went keeps its slot, and the time in which
// names that users choose get a bounded number of slots.
const slotKept = time.Hour

// Slots remembers from scrape to scrape which workloads have series of their own, so
// that they keep them and that users cannot make many. Whoever has an account can
// invent names of executables and of user units: those give way to all others, and
// after the first scrape only a fifth of the limit get a slot in an hour.
//
// The choice looks at names, at rules and at what is sandboxed, never at how many
// processes a workload has: with that, workloads near the limit would come and go.
//
// The zero value is for a first scrape. It is safe for concurrent use, and holds as
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
	since, seen time.Time
}

type gift struct {
	at    time.Time
	ruled bool
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
)

// claim is a workload that may have a series, and its index.
type claim struct {
	label            string
	index            int
	naming           scan.Naming
	ruled, sandboxed bool
	class            class
}

// invented reports whether users can choose the name.
func (c *claim) invented() bool { return c.naming != scan.NamedByHost }

// assign returns the indexes of the claims that have a slot in a snapshot of a time.
func (s *Slots) assign(now time.Time, limit int, claims []claim) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.After(s.now) {
		s.now = now
	}
	s.forget(claims)
	fifth := max(1, limit/5)
	s.classify(claims, fifth)
	var own []int
	for i := range claims {
		c := &claims[i]
		h := s.held[c.label]
		if h == nil && s.mayHave(c, fifth) && s.makeRoom(c.class, limit) {
			h = &slot{since: s.now, seen: s.now}
			s.held[c.label] = h
			if s.begun && c.invented() {
				s.given = append(s.given, gift{s.now, c.ruled})
			}
		}
		if h != nil {
			h.class = c.class
		}
	}
	s.begun = true
	// Only now: a claim may have yielded to a later one.
	for i := range claims {
		if s.held[claims[i].label] != nil {
			own = append(own, claims[i].index)
		}
	}
	return own
}

// forget drops what went, or was given, slotKept ago.
func (s *Slots) forget(claims []claim) {
	if s.held == nil {
		s.held = map[string]*slot{}
	}
	for i := range claims {
		if h := s.held[claims[i].label]; h != nil {
			h.seen = s.now
		}
	}
	maps.DeleteFunc(s.held, func(_ string, h *slot) bool { return s.now.Sub(h.seen) >= slotKept })
	s.given = slices.DeleteFunc(s.given, func(g gift) bool { return s.now.Sub(g.at) >= slotKept })
}

// classify gives all claims their class, and puts them in order: those that hold a
// slot, and then by class, by what is sandboxed, and by name.
func (s *Slots) classify(claims []claim, fifth int) {
	room := fifth
	for _, h := range s.held {
		if h.class == favoured {
			room--
		}
	}
	slices.SortFunc(claims, func(a, b claim) int {
		return cmp.Or(order(s.held[a.label] != nil, s.held[b.label] != nil),
			order(a.sandboxed, b.sandboxed), strings.Compare(a.label, b.label))
	})
	for i := range claims {
		c := &claims[i]
		h := s.held[c.label]
		switch {
		case c.ruled && !c.invented():
			c.class = ruledOfHost
		case c.ruled && h != nil && h.class == favoured:
			c.class = favoured
		case c.ruled && room > 0:
			c.class = favoured
			room--
		case !c.invented():
			c.class = ofHost
		case c.ruled:
			c.class = ruledBeyond
		case c.naming == scan.NamedByUser:
			c.class = ofUser
		default:
			c.class = ofProgram
		}
	}
	slices.SortStableFunc(claims, func(a, b claim) int {
		return cmp.Or(order(s.held[a.label] != nil, s.held[b.label] != nil), cmp.Compare(a.class, b.class))
	})
}

// mayHave reports whether a name that has no slot may have one now. Users' names may
// have a fifth of the limit in an hour; a quarter of that waits for those that a rule
// is about.
func (s *Slots) mayHave(c *claim, fifth int) bool {
	if !s.begun || !c.invented() {
		return true
	}
	plain := 0
	for _, g := range s.given {
		if !g.ruled {
			plain++
		}
	}
	return len(s.given) < fifth && (c.ruled || plain < fifth-fifth/4)
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

// order puts what is true first.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}
