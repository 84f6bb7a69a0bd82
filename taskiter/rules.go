// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"slices"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

const (
	// maxHolders is how many tasks of a domain are tried, if the first have gone.
	maxHolders = 3
	// maxDisplaced is how many passes a scan makes, whatever time they take, for what
	// is urgent and had no place in the one before.
	maxDisplaced = 4
	// maxMisses is the number of scans in a row in which nothing came of a
	// domain's rules: it is not asked for any more.
	maxMisses = 8
)

// holder is who is in a domain: some tasks whose own it is, by their places in
// the pass, and the account of the first.
type holder struct {
	tasks      [maxHolders]int32
	num, tried int32
	account    account
	outcome    outcome // of the last pass
}

// outcome is what a pass over rules brought of a domain.
type outcome uint8

const (
	notWanted outcome = iota
	nothingCame
	someCame
	allCame
	givenUp
)

// account is who uses up budgets, and whether rules are about the process: such
// accounts have shares of their own.
type account struct {
	uid      uint32
	favoured bool
}

// readRules reads rules of domains that are not known, as far as the time for
// them goes; the next scan goes on. It returns the number of passes that this
// took, none in the steady state, and of domains that are left.
//
// It comes behind all other passes of a scan, so that a task is, at worst, no longer in
// the domain of its record. Then nothing is read through it.
func (s *Source) readRules(ctx context.Context) (passes, left int, err error) {
	s.rulebook.begin()
	if len(s.files) <= rulesFile {
		return 0, 0, nil
	}
	q := s.queueRules()
	end := time.Now().Add(s.ruleTime)
	displaced := false
	for q.len() > 0 {
		left := time.Until(end)
		if passes > 0 && left <= 0 && !(displaced && passes < maxDisplaced) {
			break
		}
		k := s.wantRules(q, left)
		displaced = k.displaced
		if len(k.wanted) == 0 {
			break
		}
		if err := s.iterate(ctx, rulesFile, k); err != nil {
			return passes, 0, err
		}
		passes++
		q.settle(s, k)
	}
	return passes, q.len() + q.hopeless, nil
}

// findHolders notes who is in each of the domains that were described.
func (s *Source) findHolders(groups []group) {
	p := &s.pass
	s.holders = slices.Grow(again(s.holders), len(p.described))[:len(p.described)]
	clear(s.holders)
	for place, r := range p.tasksOf(groups) {
		if r.Domain == 0 || r.Bits&taskDoubtful != 0 || !s.counts(r) {
			continue
		}
		d, ok := p.domains[r.Domain]
		if !ok {
			continue
		}
		h := &s.holders[d]
		favoured := s.control.isFavoured(r.Pid)
		if favoured && !h.account.favoured {
			*h = holder{} // its share is that of the favoured one
		}
		if h.num == 0 {
			h.account = account{r.Account, favoured}
		}
		if h.num < maxHolders {
			h.tasks[h.num] = place
			h.num++
		}
	}
}

// queueRules returns the domains of this scan whose rules are not known.
func (s *Source) queueRules() *ruleQueue {
	p := &s.pass
	q := newRuleQueue()
	for d := range s.holders {
		h := &s.holders[d]
		if h.num == 0 {
			continue
		}
		id := s.nameOf(p.described[d].Key)
		if s.rulebook.layers[id] != nil || id == domainid.None {
			continue
		}
		r := s.rulebook.readings[id]
		if int(p.described[d].Depth) > ruleLayers || r != nil && r.misses >= maxMisses {
			q.hopeless++ // before Linux 5.19 a domain can have more layers than are read
		} else {
			q.add(int32(d), h.account)
		}
		if r != nil {
			r.scan = s.rulebook.scan
		}
	}
	q.rotate(s.rulebook.scan)
	return q
}

// What reading is expected to take at most, to choose as many domains for a pass
// as there is time for: one that is not reached by the deadline has to wait.
const (
	callTime  = 10 * time.Microsecond
	layerTime = 4 * time.Microsecond
	ruleTime  = time.Microsecond
)

const (
	// maxReadings bounds how many domains may be read in part, and so the memory
	// of what came of them; maxReadingsOfAccount those of each account.
	maxReadings          = 64
	maxReadingsOfAccount = 16
	// urgentTurns is how many domains of each account are read in a pass whatever
	// time it takes.
	urgentTurns = 32
)

// wantRules selects the domains whose rules a pass reads, each through a task,
// for about so long: accounts take turns.
func (s *Source) wantRules(q *ruleQueue, left time.Duration) *rulesSink {
	k := &rulesSink{source: s, wanted: map[taskKey]int32{}}
	clear(s.control.Wants[:])
	begun := map[account]int{}
	for _, r := range s.rulebook.readings {
		begun[r.account]++
	}
	var cost time.Duration
	// Tasks are visited by their numbers: whoever has many must neither use the time up
	// before those of others are reached, nor take their places.
	for _, urgent := range []bool{true, false} {
		for turn, d := range q.turns() {
			desc, h := &s.pass.described[d], &s.holders[d]
			rules := int(min(desc.NumRules, uint32(rulesMax)))
			if urgent != (turn < urgentTurns && rules < rulesMax) {
				continue
			}
			takes := callTime + time.Duration(desc.Depth)*layerTime + time.Duration(rules)*ruleTime
			if !urgent && cost+takes > left && len(k.wanted) > 0 {
				continue
			}
			r := s.readingOf(d, rules == rulesMax, begun)
			if r == nil {
				continue
			}
			if s.ask(k, d, r, urgent) {
				cost += takes
			} else if urgent {
				k.displaced = true
			}
			h.tried %= h.num
		}
	}
	k.deadline = time.Now().Add(max(left, minPass))
	s.control.Deadline = s.clock.at(k.deadline)
	return k
}

// readingOf returns the reading of a domain, a new one if none was begun; nil if it
// is large, and too many are read in part already.
func (s *Source) readingOf(d int32, large bool, begun map[account]int) *reading {
	desc, h := &s.pass.described[d], &s.holders[d]
	id := s.nameOf(desc.Key)
	r := s.rulebook.readings[id]
	switch {
	case r != nil:
		return r
	case large && (len(s.rulebook.readings) >= maxReadings || begun[h.account] >= maxReadingsOfAccount):
		return nil
	}
	begun[h.account]++
	r = &reading{
		scan: s.rulebook.scan, levels: s.unreadLevels(s.pass.record(int(h.tasks[h.tried]))),
		layers: make([]layerReading, desc.Depth), account: h.account,
	}
	s.rulebook.readings[id] = r
	return r
}

// ask asks for a domain's rules through one of its tasks. It reports whether there
// was a place: tasks whose numbers are alike cannot be asked in one pass.
func (s *Source) ask(k *rulesSink, d int32, r *reading, urgent bool) bool {
	w := want{Tree: r.tree, From: r.from, Levels: r.levels}
	if urgent {
		w.Urgent = 1
	}
	if r.kept < rulesMax {
		w.Places = 1
	}
	for h := &s.holders[d]; h.tried < h.num; h.tried++ {
		rec := s.pass.record(int(h.tasks[h.tried]))
		if w.Tid = rec.Tid; s.control.wantRules(w) {
			k.wanted[rec.key()] = d
			h.outcome = nothingCame
			return true
		}
	}
	return false
}

// minPass is how long a pass over rules may take at least: one that ends before
// it came to the first task reads nothing, in each scan anew.
const minPass = 10 * time.Millisecond

// unreadLevels returns the layers of a task's domain whose rules are not known.
func (s *Source) unreadLevels(r *taskRecord) uint32 {
	var levels uint32
	chain := s.chainOf(r)
	for i, key := range chain {
		if s.rulebook.layers[s.nameOf(key)] == nil {
			levels |= 1 << (len(chain) - i - 1)
		}
	}
	return levels
}

// rulesSink takes the records of one pass for rules.
type rulesSink struct {
	source *Source
	wanted map[taskKey]int32 // places in pass.described
	// deadline is when the program stops to look for rules.
	deadline time.Time
	// displaced: something urgent could not be asked for beside something else.
	displaced bool
	// places are those of the rules of the next record.
	places placesOfRules
	// read are the keys of the layers whose rules came last, all of them.
	read []uint64
}

func (k *rulesSink) take(record any, rest []byte) {
	switch r := record.(type) {
	case *placesRecord:
		k.places = append(k.places[:0], listOf[uint64](rest)...)
	case *rulesRecord:
		k.rules(r, listOf[ruleEntry](rest))
		k.places = k.places[:0]
	case *launcherRecord:
		// It is who made one of the layers whose rules came before.
		if slices.Contains(k.read, r.Key) {
			k.source.rulebook.keepLauncher(k.source.nameOf(r.Key), rest)
		}
	}
}

func (k *rulesSink) rules(rec *rulesRecord, rules []ruleEntry) {
	s := k.source
	k.read = nil
	d, ok := k.wanted[taskKey{rec.Tid, rec.Start, rec.ExecId}]
	if !ok {
		return // its number is only like that of one that is wanted
	}
	desc, h := &s.pass.described[d], &s.holders[d]
	id := s.nameOf(desc.Key)
	r := s.rulebook.readings[id]
	chain := s.chainOf(s.pass.record(int(h.tasks[h.tried])))
	if r == nil || rec.Domain != desc.Key || !r.goesOnFrom(rec) || len(chain) != len(r.layers) {
		return // it has moved to another domain since
	}
	handled := make([]access.Rights, len(chain))
	for i, key := range chain {
		place, ok := s.pass.domains[key]
		if !ok {
			return // a budget left an outer one out
		}
		handled[len(chain)-1-i] = s.handled(s.pass.described[place].Mask)
	}
	if h.outcome = someCame; !r.add(rec, rules, k.places, handled) {
		return
	}
	h.outcome = allCame
	for i, key := range chain {
		if level := len(chain) - i; r.levels>>(level-1)&1 != 0 {
			rules, keys := r.ruleset(level, handled[level-1])
			s.rulebook.keep(s.nameOf(key), r.account.uid, rules, keys)
			k.read = append(k.read, key)
		}
	}
	delete(s.rulebook.readings, id)
}
