// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// matched is which rules are about all processes with some facts.
type matched struct {
	facts facts
	// rules are those without cmdline that are about them, or likely so. Entries with
	// the same ones share them.
	rules *ruleList
	// doubtful are those of which it is not known whether they are about them: the ones
	// that need a process, or all if asked for. doubt is why it is not known of any rule.
	doubtful *ruleList
	doubt    Doubt
	// ask are those that a process's command line decides about.
	ask    []int32
	exempt level
	// used is the last evaluation that met such a process.
	used uint64
}

// ruleList is rules, each with how certain it is that they are meant. It is never
// written.
type ruleList struct{ rules []ruleLevel }

// ruleLevel is a rule's index and, in the lowest three bits, whether violations are accepted by
// an item of except, and the level.
type ruleLevel uint32

const acceptedBit ruleLevel = 1 << 2

func newRuleLevel(rule int32, l level, w why) ruleLevel {
	r := ruleLevel(rule)<<3 | ruleLevel(l)
	if w.accepted != nil {
		r |= acceptedBit
	}
	return r
}

func (r ruleLevel) split() (rule int32, l level) { return int32(r >> 3), level(r & 3) }

// matchCache matches each facts once, and keeps that as long as processes have
// them.
type matchCache struct {
	config *Config
	// allDoubts: doubtful rules are kept that need no process, too.
	allDoubts bool
	index     index
	byFact    map[facts]*matched
	// lists are the lists of entries, by their bytes: where many rules are
	// about many kinds of processes, most have the same.
	lists map[string]*ruleList
	// last has the entry that was asked for last, by workload, in this evaluation: many
	// processes of one have the same facts, and to compare them takes less than to find them.
	// The first is of those in none.
	last []*matched
	now  uint64
	at   time.Time // when waivers are in force
	live int       // entries that were used in this evaluation

	candidates      []int32
	rules, doubtful []ruleLevel
	bytes           []byte
}

func newMatchCache(c *Config, allDoubts bool) matchCache {
	return matchCache{
		config: c, allDoubts: allDoubts, index: newIndex(c.Rules),
		byFact: map[facts]*matched{}, lists: map[string]*ruleList{},
	}
}

// setTime forgets all that was matched with waivers that begin or end before a time.
func (c *matchCache) setTime(at time.Time) {
	c.at = at
	clear(c.byFact)
	clear(c.lists)
}

// begin starts an evaluation of processes in a number of workloads.
func (c *matchCache) begin(workloads int) {
	c.now, c.live = c.now+1, 0
	c.last = slices.Grow(c.last[:0], workloads+1)[:workloads+1]
	clear(c.last)
}

// slack is how many entries that no process needs any more are kept, beyond as
// many as are needed.
const slack = 1024

// end drops entries without a process, once they are many.
func (c *matchCache) end() {
	if len(c.byFact) <= 2*c.live+slack {
		return
	}
	maps.DeleteFunc(c.byFact, func(_ facts, m *matched) bool { return m.used != c.now })
	clear(c.lists)
}

// of returns what is matched by the facts of a process of a snapshot.
func (c *matchCache) of(f *facts, s *scan.Snapshot, p *scan.Process) *matched {
	last := &c.last[0]
	if s.WorkloadOf(p) != nil {
		last = &c.last[1+p.Workload]
	}
	if *last != nil && (*last).facts == *f {
		return *last
	}
	m := c.byFact[*f]
	if m == nil {
		m = c.match(f)
		c.byFact[*f] = m
	}
	if m.used != c.now {
		m.used = c.now
		c.live++
	}
	*last = m
	return m
}

func (c *matchCache) match(f *facts) *matched {
	m := &matched{facts: *f, exempt: c.config.exemption(f)}
	c.rules, c.doubtful, c.candidates = c.rules[:0], c.doubtful[:0], c.candidates[:0]
	if m.exempt != yes {
		c.candidates = c.index.candidates(f, c.candidates)
	}
	for _, n := range c.candidates {
		rule := &c.config.Rules[n]
		if rule.usesCmdline() {
			if l, _ := rule.Match.level(f, anyTask, nil); l != no {
				m.ask = append(m.ask, n)
			}
			continue
		}
		switch l, w := rule.about(f, m.exempt, nil, c.at); l {
		case unknown:
			if m.doubt == NoDoubt {
				m.doubt = w.key.doubt(f)
			}
			if rule.MinProcesses > 0 || c.allDoubts {
				c.doubtful = append(c.doubtful, newRuleLevel(n, l, w))
			}
		case likely, yes:
			c.rules = append(c.rules, newRuleLevel(n, l, w))
		}
	}
	m.rules, m.doubtful = c.share(c.rules), c.share(c.doubtful)
	return m
}

// share returns the list that equals the one given.
func (c *matchCache) share(list []ruleLevel) *ruleList {
	c.bytes = c.bytes[:0]
	for _, r := range list {
		c.bytes = binary.NativeEndian.AppendUint32(c.bytes, uint32(r))
	}
	shared, ok := c.lists[string(c.bytes)]
	if !ok {
		shared = &ruleList{slices.Clone(list)}
		c.lists[string(c.bytes)] = shared
	}
	return shared
}
