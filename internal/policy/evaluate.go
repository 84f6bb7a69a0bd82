// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"sync"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Options are what an Evaluator looks at beside the snapshot.
type Options struct {
	// Cmdline returns the command line of a process, its arguments separated by
	// spaces; false if it cannot be read. It is called only for processes that
	// cmdline decides about. Nil reads none.
	Cmdline func(*scan.Process) (string, bool)
	// Unmatched: an Evaluation lists the rules without a result, too.
	Unmatched bool
	// ByWorkload: it has the results of each workload, too.
	ByWorkload bool
}

// Evaluator judges snapshots by one configuration. It remembers which rules applied, and since
// when there are too few processes. Matching is done once for all processes that are the same
// to rules, and kept from one snapshot to the next. It is not safe for concurrent use.
type Evaluator struct {
	config  *Config
	options Options
	seen    seen
	graces  []time.Duration // of all rules, ascending, each once
	cache   matchCache
	above   ancestors
	applied []bool
	last    lasting
	// tooFew is since which scan of all in a row there were too few processes for a rule, in
	// nanoseconds since boot; 0 if there are enough.
	tooFew []uint64
	// accepted are the rules of which all violations are accepted at the time of the snapshot,
	// from since until lapses, when the first of all waivers in force ends; zero if none is.
	accepted          []bool
	at, since, lapses time.Time

	// What follows is of one evaluation, and kept for its memory.
	snap    *scan.Snapshot
	ended   *Ended // nil if its processes live
	facts   facts  // of one process
	demands []demand
	limits  limits           // that demands are for
	assets  []domainid.Asset // and so are these
	groups  []group
	groupOf []int32 // by process
	byKey   map[groupKey]int32
	tallies []tally
	doubts  undecided
}

// group is processes of one snapshot of which all rules have the same result.
type group struct {
	matched   *matched // of its first process
	condition condition
	first     int32 // the lowest PID
	count     int
	oldest    uint64        // the earliest start
	age       time.Duration // of its first process
	// asked are the rules of matched.ask with what the command line decides, and doubt
	// is why that is not known of some; only for a group of one.
	asked []ruleLevel
	doubt Doubt
	// violating: they violate some rule. about: some rule is about them, or likely so.
	violating, about bool
}

type groupKey struct {
	rules, doubtful *ruleList
	condition       condition
	// within is how many of the rules' graces are longer than its age.
	within int
	// alone is 1 + the index of a process that is a group of its own: one whose command
	// line is asked for.
	alone int32
}

// tally adds up one rule's results.
type tally struct {
	processes [NumResults]int
	first     [NumResults]int32
	// violating is the earliest start of those that violate it.
	violating uint64
	// certain is the number of processes that the rule is about for certain,
	// likely and doubtful that of those of which that is less certain.
	certain, likely, doubtful int
	// list: its violations are listed.
	list bool
}

// New returns an Evaluator of which no rule applied yet.
func New(c *Config, o Options) *Evaluator {
	what := c.seenBy()
	e := &Evaluator{
		config: c, options: o, seen: what,
		cache: newMatchCache(c, o.Unmatched), above: newAncestors(what.ancestors),
		applied: make([]bool, len(c.Rules)), tooFew: make([]uint64, len(c.Rules)),
		tallies: make([]tally, len(c.Rules)), byKey: map[groupKey]int32{},
	}
	for i := range c.Rules {
		e.graces = append(e.graces, c.Rules[i].Grace)
	}
	slices.Sort(e.graces)
	e.graces = slices.Compact(e.graces)
	return e
}

// Follow goes on with what another evaluator remembers of rules with the same names: since when
// there are too few processes.
func (e *Evaluator) Follow(before *Evaluator) {
	since := map[string]uint64{}
	for i := range before.config.Rules {
		since[before.config.Rules[i].Name] = before.tooFew[i]
	}
	for i := range e.config.Rules {
		e.tooFew[i] = since[e.config.Rules[i].Name]
	}
}

// Evaluate judges a snapshot. Besides what follows from the snapshot, the result has
// which rules applied to earlier ones, and since which of them there are too few processes.
func (e *Evaluator) Evaluate(s *scan.Snapshot) *Evaluation {
	if e.lasts(s) {
		return e.last.result
	}
	r := &Evaluation{ruled: make([]bool, len(s.Workloads)), workloads: s.Workloads}
	e.begin(s)
	e.group(r)
	for i := range e.groups {
		e.tally(&e.groups[i])
	}
	e.evaluation(r)
	r.Undecided = e.doubts.list()
	if e.options.ByWorkload {
		r.ByWorkload = e.byWorkload()
	}
	e.keep(r)
	e.end()
	return r
}

// end forgets the snapshot.
func (e *Evaluator) end() {
	e.cache.end()
	e.snap, e.ended = nil, nil
	clear(e.groups)
	e.groups = e.groups[:0]
	clear(e.byKey)
}

func (e *Evaluator) begin(s *scan.Snapshot) {
	e.snap = s
	e.setTime(s.Time)
	e.cache.begin(len(s.Workloads))
	e.above.begin(s)
	e.doubts = undecided{}
	clear(e.tallies)
	e.last = lasting{}
	same := func(a, b domainid.Asset) bool { return a.Equal(&b) }
	if l := limitsOf(s); len(e.demands) == 0 || e.limits != l ||
		!slices.EqualFunc(e.assets, s.Assets, same) {
		e.limits, e.assets = l, s.Assets
		e.demands = e.demands[:0]
		for i := range e.config.Rules {
			e.demands = append(e.demands, e.config.Rules[i].Expect.demandOn(l, s.Assets))
		}
	}
}

// group puts the snapshot's processes into groups, and those that some rule is about
// into the result.
func (e *Evaluator) group(r *Evaluation) {
	e.groupOf = e.groupOf[:0]
	now := uptime(e.snap)
	// Of processes that follow one another many are in one group, and to compare keys takes
	// less than to find one.
	var last groupKey
	lastGroup := int32(noGroup)
	for i := range e.snap.Processes {
		p := &e.snap.Processes[i]
		e.facts = factsOf(e.snap, p, &e.seen)
		e.facts.ancestors = e.above.of(e.snap, i)
		if e.ended != nil {
			e.facts.ended, e.facts.below = true, e.ended.Below(i)
		}
		m := e.cache.of(&e.facts, e.snap, p)
		if len(m.rules.rules) == 0 && len(m.ask) == 0 && len(m.doubtful.rules) == 0 {
			e.doubts.add(m.doubt, p.PID)
			e.groupOf = append(e.groupOf, noGroup)
			continue
		}
		k := groupKey{rules: m.rules, doubtful: m.doubtful, condition: conditionOf(e.snap, p)}
		age := age(now, p)
		k.within = e.within(age)
		e.grows(p, k.within)
		if len(m.ask) > 0 {
			e.last.asked = true
			k.alone = int32(i) + 1
		}
		n := lastGroup
		if n == noGroup || k != last {
			var ok bool
			if n, ok = e.byKey[k]; !ok {
				n = int32(len(e.groups))
				e.byKey[k] = n
				e.groups = append(e.groups, group{
					matched: m, condition: k.condition, first: p.PID, age: age, about: len(m.rules.rules) > 0,
					oldest: p.Start,
				})
				e.ask(&e.groups[n], p)
			}
			last, lastGroup = k, n
		}
		g := &e.groups[n]
		if g.about {
			r.About = append(r.About, p.PID)
			if w := p.Workload; w >= 0 && int(w) < len(r.ruled) {
				r.ruled[w] = true
			}
		}
		g.count++
		g.oldest = min(g.oldest, p.Start)
		e.doubts.add(max(m.doubt, g.doubt), p.PID)
		e.groupOf = append(e.groupOf, n)
	}
}

// noGroup is the group of processes that no rule is about.
const noGroup = -1

// uptime is the time since boot at the scan. Where a snapshot does not have it, it is
// the time when the youngest process was made.
func uptime(s *scan.Snapshot) time.Duration {
	if s.Uptime > 0 {
		return s.Uptime
	}
	var youngest uint64
	for i := range s.Processes {
		youngest = max(youngest, s.Processes[i].Start)
	}
	return time.Duration(youngest)
}

// age is how old a process was at the scan, at least 0: it may have been created
// while the scan ran.
func age(now time.Duration, p *scan.Process) time.Duration {
	return max(0, now-time.Duration(p.Start))
}

// within returns how many of the rules' graces are longer than an age: processes of which that is
// the same are young, or not, to the same rules.
func (e *Evaluator) within(age time.Duration) int {
	n, found := slices.BinarySearch(e.graces, age)
	if found { // a process as old as that is beyond it
		n++
	}
	return len(e.graces) - n
}

// ask asks the rules that look at command lines.
func (e *Evaluator) ask(g *group, p *scan.Process) {
	m := g.matched
	if len(m.ask) == 0 {
		return
	}
	cmd := e.cmdlineOf(p)
	for _, n := range m.ask {
		l, w := e.config.Rules[n].about(&m.facts, m.exempt, cmd, e.at)
		if l == unknown && g.doubt == NoDoubt {
			g.doubt = w.key.doubt(&m.facts)
		}
		if l != no {
			g.asked = append(g.asked, newRuleLevel(n, l, w))
		}
		g.about = g.about || l >= likely
	}
}

// cmdlineOf returns a process's command line, which is read once at most.
func (e *Evaluator) cmdlineOf(p *scan.Process) cmdline {
	return sync.OnceValues(func() (string, bool) {
		if e.options.Cmdline == nil {
			return "", false
		}
		return e.options.Cmdline(p)
	})
}

// tally adds the results of a group by all rules.
func (e *Evaluator) tally(g *group) {
	for _, rules := range [...][]ruleLevel{g.matched.rules.rules, g.matched.doubtful.rules, g.asked} {
		for _, r := range rules {
			n, l := r.split()
			t := &e.tallies[n]
			switch l {
			case yes:
				result, _ := e.judge(r, g)
				t.certain += g.count
				t.add(result, g)
				g.violating = g.violating || result == Violating
			case likely:
				t.likely += g.count
				t.add(Unknown, g)
			case unknown:
				t.doubtful += g.count
			}
		}
	}
}

func (t *tally) add(result Result, g *group) {
	if result == Violating && (t.processes[Violating] == 0 || g.oldest < t.violating) {
		t.violating = g.oldest
	}
	t.processes[result] += g.count
	if first := &t.first[result]; *first == 0 || g.first < *first {
		*first = g.first
	}
}

// judge returns the result of a group by a rule.
func (e *Evaluator) judge(r ruleLevel, g *group) (Result, Reason) {
	n, _ := r.split()
	rule := &e.config.Rules[n]
	result, reason := rule.Expect.judge(&g.condition, &e.demands[n])
	if result == Violating && g.age < rule.Grace {
		result = Starting
	}
	if result == Violating && e.accepts(r) {
		result = Waived
	}
	return result, reason
}

// accepts reports whether what violates a rule is accepted.
func (e *Evaluator) accepts(r ruleLevel) bool {
	n, _ := r.split()
	return r&acceptedBit != 0 || e.accepted[n]
}

// setTime finds out which waivers are in force at a time, if others may be than before. Some only
// end as time goes on, so that nothing changes before the first of them does.
func (e *Evaluator) setTime(at time.Time) {
	e.at = at
	if e.sameWaivers(at) {
		return
	}
	e.since, e.lapses = at, time.Time{}
	e.accepted = make([]bool, len(e.config.Rules))
	some := false
	for i := range e.config.Rules {
		r := &e.config.Rules[i]
		e.accepted[i] = r.Accept.InForce(at)
		some = some || r.HasAccept()
		if all := r.Accepts(at); len(all) > 0 && (e.lapses.IsZero() || all[0].Until.Before(e.lapses)) {
			e.lapses = all[0].Until
		}
	}
	if some {
		e.cache.setTime(at)
	}
}

// sameWaivers reports whether those in force at a time are those of the last evaluation.
func (e *Evaluator) sameWaivers(at time.Time) bool {
	return e.accepted != nil && !at.Before(e.since) && (e.lapses.IsZero() || at.Before(e.lapses))
}

// speaks reports whether a rule has a result.
func (e *Evaluator) speaks(n int32) bool {
	return e.applied[n] || e.config.Rules[n].MinProcesses > 0
}
