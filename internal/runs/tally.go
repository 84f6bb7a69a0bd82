// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"log/slog"
	"slices"
	"sync"
	"time"
	"weak"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// TallyOptions are what a [Tally] is made of.
type TallyOptions struct {
	// Feed counts in the kernel. The tally closes it.
	Feed Feed
	// Since is when it began.
	Since time.Time
	// Rules are those in force.
	Rules *inforce.Set
	// Resolver names workloads; nil leaves them without a name.
	Resolver *workload.Resolver
	// Kernel is what is known of the kernel as long as no scan succeeded.
	Kernel scan.Kernel
	// WorkloadLimit is the number of workloads that are counted apart, besides the one for
	// all others.
	WorkloadLimit int
	// Named reports whether a workload of this name may be counted apart; nil is all.
	Named func(name string) bool
	// HideWorkloads counts none apart.
	HideWorkloads bool
	// Logger gets what goes wrong; nil discards that.
	Logger *slog.Logger
}

// Tally adds up what a feed counted, by state, workload and rule, and remembers the last
// of it. It is safe for concurrent use.
type Tally struct {
	o     TallyOptions
	clock clock

	mu     sync.Mutex
	closed bool
	failed bool // draining did, and it was logged
	// last is the latest snapshot, which is not kept for that, and lastUptime its uptime.
	last       weak.Pointer[scan.Snapshot]
	lastUptime time.Duration
	kernel     scan.Kernel
	rulesRead  string // as scan.SourceInfo.Rules
	// containers are those of the latest two snapshots, by their cgroups.
	containers [2]map[string]*scan.Workload

	ended  [2]states
	folded uint64
	missed uint64
	named  named
	judged judged
	marks  marks
	recent recent
}

// states are counts by scan.State.
type states [4]uint64

// NewTally returns a tally of which nothing is counted yet.
func NewTally(o TallyOptions) *Tally {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	t := &Tally{
		o: o, clock: newClock(), kernel: o.Kernel,
		named:  newNamed(o.WorkloadLimit, o.Named),
		judged: newJudged(), marks: newMarks(),
	}
	t.follow(o.Rules.Config())
	return t
}

// Update adds what ended since the last call, once, however many call at a time. snap is the
// last scan's, nil if that failed.
func (t *Tally) Update(snap *scan.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.follow(t.o.Rules.Config())
	isNew := snap != nil && t.last.Value() != snap && snap.Uptime >= t.lastUptime
	if isNew {
		t.last, t.lastUptime = weak.Make(snap), snap.Uptime
		t.kernel, t.rulesRead = snap.Kernel, snap.Source.Rules
		t.noteContainers(snap)
	}
	d, err := t.o.Feed.Drain() // with an error, too, there may be cells
	if err != nil && !t.failed {
		t.failed = true
		t.o.Logger.Error("Processes that ended are not counted", "err", err)
	}
	t.missed = max(t.missed, d.Missed)
	// Launches first: those of a process come before its exit.
	slices.SortStableFunc(d.Cells, func(a, b Cell) int { return int(b.Kind) - int(a.Kind) })
	for some := range slices.Chunk(d.Cells, atOnce) {
		t.count(some)
	}
	if isNew {
		result := t.o.Rules.Evaluate(snap)
		if !t.o.HideWorkloads {
			t.named.see(snap, result)
		}
		if t.marks.update(snap, result) {
			t.o.Feed.Mark(t.marks.list)
		}
	}
	if isNew || len(d.Cells) > 0 {
		t.named.fold(t.clock.now())
	}
}

// follow has the feed distinguish what the rules of a configuration do.
func (t *Tally) follow(c *policy.Config) {
	if c == t.judged.config {
		return
	}
	t.judged.follow(c)
	if err := t.o.Feed.Ask(c.Graces(), c.UsesComm()); err != nil {
		t.o.Logger.Error("Ages of processes that end are not known to rules", "err", err)
	}
}

// atOnce is how many cells are judged together: a storm of new ones takes little memory.
const atOnce = 256

// count adds cells.
func (t *Tally) count(cells []Cell) {
	p := t.picture(cells)
	verdicts := make([][]policy.Verdict, len(cells))
	t.o.Rules.Ended(p.ended(), func(place int, v policy.Verdict) {
		if i := place - p.parents; i >= 0 {
			verdicts[i] = append(verdicts[i], v)
		}
	})
	when := t.clock.wall()
	for i := range cells {
		c, w := &cells[i], p.workloadOf(i)
		t.ended[c.Kind&1][c.State&3] += c.Count
		if c.Folded {
			t.folded += c.Count
		}
		if c.Kind == Run && !t.o.HideWorkloads {
			t.named.add(w, c.State, c.Count)
		}
		found := t.judged.inForce(t.marks.judge(c, verdicts[i]))
		e := endedOf(c, w.Name, when(c.Last.End))
		broke := t.judged.add(found, c.Count, w.Name, e.Time)
		for _, v := range found {
			if v.Result == policy.Violating {
				o := inforce.Offender{PID: c.Last.PID, Exe: c.Exe, UID: c.UID, Workload: w.Name}
				t.o.Rules.LogBroken(v, o, c.Count)
			}
		}
		outside := c.Kind == Run && (c.State == scan.Unsandboxed || c.State == scan.Partial)
		if broke || outside {
			t.recent.add(e, found, broke)
		}
	}
	t.recent.settle()
}

// Filling receives when an Update is due, whoever asks.
func (t *Tally) Filling() <-chan struct{} { return t.o.Feed.Filling() }

// Stats returns the counts.
func (t *Tally) Stats() *collector.Runs {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &collector.Runs{
		Since: t.o.Since, Ended: t.ended[Run].words(), Launches: t.ended[Launch].words(),
		Workloads: t.named.stats(), Rules: t.judged.stats(), Broken: t.judged.lastBroken(),
		Lost: t.folded + t.missed,
	}
}

func (s *states) words() map[string]uint64 {
	words := map[string]uint64{}
	for _, state := range scan.States() {
		words[state.String()] = s[state]
	}
	return words
}

// Recent returns the last that ended outside of a sandbox or broke a rule, the newest first.
// The result is the caller's.
func (t *Tally) Recent() []Ended {
	all, _, _ := t.After(0)
	slices.Reverse(all)
	return all
}

// After returns those of Recent that were added after so many, the oldest first, how many were
// added in all, and how many of those asked for are forgotten. The result is the caller's.
func (t *Tally) After(n uint64) (all []Ended, now, lost uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all = slices.DeleteFunc(t.recent.all(), func(e Ended) bool { return e.number <= n })
	slices.Reverse(all)
	for i := range all {
		all[i].number = 0 // it means nothing to others
	}
	return all, t.recent.added, t.recent.added - n - uint64(len(all))
}

// Close closes the feed. What was counted stays.
func (t *Tally) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	return t.o.Feed.Close()
}
