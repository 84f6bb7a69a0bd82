// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// maxPasses bounds how often processes that do not add up are read again. What
// still does not then is unknown, reason changing.
const maxPasses = 3

// Scan reads every task. It is one pass over the host's tasks, and up to two
// more over those processes that changed during the first. An error is a
// *[scan.Error], or that of ctx.
func (s *Source) Scan(ctx context.Context) (*scan.Snapshot, error) {
	began := time.Now()
	uptime := s.clock.uptime()
	var snap *scan.Snapshot
	var err error
	for snap == nil && err == nil {
		s.openObjects(ctx)
		snap, err = s.scan(ctx)
		s.closeObjects()
	}
	if err != nil {
		// Paths are not kept longer than the snapshot that they were in.
		s.control.forgetAll()
		s.programs, s.last = programs{}, nil
		s.pass.wake()
		s.pass.giveUp()
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		return nil, failure(scan.Error{Reason: Read, Missing: "the scan", Err: err})
	}
	snap.Time, snap.Uptime = began, uptime
	snap.Duration = time.Since(began)
	return snap, nil
}

// scan is Scan. It returns nil if it ended the rest of the pass without reading what it needs
// now: then it is to be called again.
func (s *Source) scan(ctx context.Context) (*scan.Snapshot, error) {
	p := &s.pass
	s.control.Selected = 0
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.beginBudgets()
	groups, last, err := s.readAll(ctx)
	if err != nil {
		return nil, err
	}
	tasksRead, passes, rulesLeft := len(p.at), 1, 0
	if last == nil {
		if passes, err = s.settleAll(ctx, groups); err != nil {
			return nil, err
		}
		s.findHolders(groups)
		var more int
		if more, rulesLeft, err = s.readRules(ctx); err != nil {
			return nil, err
		}
		passes += more
	}
	if err := s.readWays(ctx); err != nil {
		return nil, err
	}
	s.closeObjects()
	if last != nil {
		if s.reachesAsIn(last) {
			return s.repeat(last), nil
		}
		if p.resting {
			p.wake()
			return nil, nil
		}
		p.restore()
		s.rulebook.begin()
	}
	s.repeats = 0
	settled := s.rememberPartial(groups) && passes == 1
	snap, err := s.build(groups)
	if err != nil {
		return nil, err
	}
	snap.TasksRead, snap.Passes = tasksRead, passes
	snap.DomainsUnread = s.endBudgets(groups) + rulesLeft
	if settled && s.repeatable(snap) {
		p.keep()
		s.last = snap
	}
	return snap, nil
}

// readAll makes the first pass. It returns the last snapshot if this pass and that scan's only
// one are the same, byte for byte: groups then have their verdicts, or there are none at rest.
func (s *Source) readAll(ctx context.Context) (groups []group, last *scan.Snapshot, err error) {
	last, s.last = s.last, nil
	if last != nil && s.pass.resting {
		if same, err := s.pass.runAtRest(s.reader(ctx)); same || err != nil {
			return nil, last, err
		}
		s.beginBudgets() // that pass used up some
	} else if last != nil {
		groups, same, err := s.pass.runAgain(s.reader(ctx))
		if !same {
			last = nil
		}
		return groups, last, err
	}
	s.pass.reset()
	groups, err = s.pass.run(s.reader(ctx))
	return groups, nil, err
}

// settleAll sets the verdicts of all groups, and reads processes again that do not add up. It
// returns the number of passes, the first included.
func (s *Source) settleAll(ctx context.Context, groups []group) (passes int, err error) {
	unsettled := s.unsettled[:0]
	for i := range groups {
		if !s.settle(&groups[i]) {
			unsettled = append(unsettled, groups[i].pid)
		}
	}
	s.unsettled = unsettled // its memory is used again
	for passes = 1; len(unsettled) > 0 && passes < maxPasses; passes++ {
		if err := ctx.Err(); err != nil {
			return passes, err
		}
		if unsettled, err = s.readAgain(ctx, groups, unsettled); err != nil {
			return passes, err
		}
	}
	if s.deriver != nil {
		more, err := s.vouch(ctx, groups)
		return passes + more, err
	}
	return passes, nil
}

// rememberPartial notes what the next scan knows of the tasks of partial processes, and reports
// whether that is what this one knew.
func (s *Source) rememberPartial(groups []group) (same bool) {
	clear(s.after)
	for _, g := range groups {
		// The next scan need not read these twice.
		records := s.pass.records(g)
		if g.verdict == partial ||
			s.frees() && g.verdict == sandboxed && apart(records, s.state.Layout.Workers) {
			s.after.remember(records)
		}
	}
	s.before, s.after = s.after, s.before
	return maps.Equal(s.before, s.after)
}

// settle sets a group's verdict. It is false if the process has none, or began another
// program while it was read.
func (s *Source) settle(g *group) bool {
	g.verdict = judge(s.pass.records(*g), s.state.Layout.Workers, s.frees(), s.before)
	return g.verdict != unsettled && !slices.Contains(s.pass.missed, g.pid)
}

// frees reports whether a thread of this kernel can take others out of their domains.
func (s *Source) frees() bool { return s.state.Kernel.ABI >= tsyncABI }

// tsyncABI is the first ABI with LANDLOCK_RESTRICT_SELF_TSYNC.
const tsyncABI = 8

// readAgain makes a pass over the named processes, puts what it finds in the
// place of their groups, and returns those that still have no verdict.
func (s *Source) readAgain(ctx context.Context, groups []group, pids []int32) ([]int32, error) {
	s.control.Selected = 1
	clear(s.control.Wanted[:])
	for _, pid := range pids {
		s.control.want(pid)
		i, _ := findGroup(groups, pid)
		s.before.remember(s.pass.records(groups[i]))
	}
	s.pass.missed = s.pass.missed[:0]
	again, err := s.pass.run(s.reader(ctx))
	if err != nil {
		return nil, err
	}
	left := pids[:0]
	for _, pid := range pids {
		i, _ := findGroup(groups, pid)
		j, ok := findGroup(again, pid)
		if !ok {
			// The process went: it is left out.
			groups[i].verdict = outside
			continue
		}
		if groups[i] = again[j]; !s.settle(&groups[i]) {
			left = append(left, pid)
		}
	}
	return left, nil
}

// vouch has the deriver see every task of this scan's passes, and those in doubt
// once more. Tasks that are not found again are marked, and their processes have
// no verdict. It returns the number of passes that it made.
func (s *Source) vouch(ctx context.Context, groups []group) (int, error) {
	p := &s.pass
	s.deriver.begin()
	for i := range p.at {
		// Those that have exited count, too: their domains lived then.
		s.deriver.see(i+1, p.record(i).key(), s.chainOf(p.record(i)))
	}
	passes := 0
	clear(s.control.Wanted[:])
	for i := range p.at {
		if r := p.record(i); r.Domain != 0 && s.deriver.inDoubt(s.chainOf(r)) {
			s.control.want(r.Pid)
			passes = 1
		}
	}
	if passes > 0 {
		s.control.Selected = 1
		first := len(p.at)
		if _, err := p.run(s.reader(ctx)); err != nil {
			return 0, err
		}
		for i := first; i < len(p.at); i++ {
			s.deriver.seeAgain(p.record(i).key(), s.chainOf(p.record(i)))
		}
	}
	for i := range groups {
		g := &groups[i]
		shared := uint64(0)
		if s.frees() {
			shared = s.sharedBy(g)
		}
		for _, o := range p.order[g.lo:g.hi] {
			r := p.record(int(uint32(o)))
			stays := r.Domain
			if s.frees() {
				stays = shared
			}
			if r.Domain != 0 && !s.deriver.settle(r.key(), s.chainOf(r), stays) {
				r.Bits |= taskDoubtful
				g.verdict = unsettled
			}
		}
	}
	return passes, nil
}

// sharedBy returns the key of the innermost domain that all tasks of a process are in, 0 if that is
// not proved of any.
func (s *Source) sharedBy(g *group) uint64 {
	if g.verdict != sandboxed {
		return 0
	}
	var shared []uint64
	first := true
	for _, o := range s.pass.order[g.lo:g.hi] {
		r := s.pass.record(int(uint32(o)))
		if !s.counts(r) {
			continue
		}
		chain := s.chainOf(r)
		if first {
			shared, first = append(s.shared[:0], chain...), false
			s.shared = shared // its memory is used again
		}
		for len(shared) > 0 && !slices.Contains(chain, shared[0]) {
			shared = shared[1:]
		}
	}
	if len(shared) == 0 {
		return 0
	}
	return shared[0]
}

// chainOf returns the keys of a task's domain and of all that it is nested in,
// the innermost first. They are valid until the next call.
func (s *Source) chainOf(r *taskRecord) []uint64 {
	s.chain = s.chain[:0]
	for key := r.Domain; key != 0 && len(s.chain) < maxLayers; {
		s.chain = append(s.chain, key)
		i, ok := s.pass.domains[key]
		if !ok {
			break
		}
		key = s.pass.described[i].Parent
	}
	return s.chain
}
