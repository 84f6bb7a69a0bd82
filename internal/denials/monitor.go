// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"sync"

	"github.com/landlockd/landlockd/scan"
)

// Feed yields denials one by one. Its methods but Run may be called at any time.
type Feed interface {
	// Run calls f for each denial until Close. f does not keep the event.
	Run(f func(*Event))
	// Active reports whether the kernel reports denials now, as far as is known.
	Active() bool
	// Way is the word for it in landlockd_source_info: scan.DenialsAudit or
	// scan.DenialsTracepoints.
	Way() string
	// Lost is the number of denials, at most, that Run missed because they came
	// too fast.
	Lost() uint64
	// ByBlocker returns complete counts, with the lost denials; false if the only
	// counts are those of what Run reads.
	ByBlocker() (counts [NumBlockers]uint64, ok bool)
	Close() error
}

// Stats are counts since the start.
type Stats struct {
	// Total is the sum of the kernel's counts, if TotalKnown.
	Total      uint64
	TotalKnown bool
	// Fed reports whether denials are read one by one, and the following are known.
	Fed       bool
	ByBlocker [NumBlockers]uint64
	// Blockers are those that this kernel has.
	Blockers Blockers
	// ByWorkload is nil unless scans have workloads.
	ByWorkload map[string]uint64
	// Lost is that of the feed, with what the kernel counted and the feed did not.
	Lost uint64
}

// Options of a [Monitor].
type Options struct {
	// Feed may be nil. The monitor closes it.
	Feed Feed
	// WorkloadLimit is the number of workloads that are counted apart, besides
	// UnknownWorkload and the one for all others.
	WorkloadLimit int
	// Named reports whether a workload of this name may be counted apart; nil is all.
	Named func(name string) bool
	// HideWorkloads leaves workloads out.
	HideWorkloads bool
}

// Monitor counts denials. It is safe for concurrent use.
type Monitor struct {
	feed   Feed
	recent Recent
	done   chan struct{}

	mu        sync.Mutex
	tracker   Tracker
	first     uint64     // what the feed had counted before the first scan
	skipped   uint64     // denials that the kernel counted and the feed did not
	stats     Stats      // but for what the tracker, the feed and the workloads know
	named     bool       // scans have workloads
	workloads *workloads // nil if they are left out
}

// NewMonitor returns a monitor, and starts to read its feed.
func NewMonitor(o Options) *Monitor {
	m := &Monitor{feed: o.Feed, done: make(chan struct{})}
	if !o.HideWorkloads {
		m.workloads = newWorkloads(o.WorkloadLimit, o.Named)
	}
	if m.feed == nil {
		close(m.done)
		return m
	}
	go func() {
		defer close(m.done)
		m.feed.Run(m.note)
	}()
	return m
}

// Close ends reading. What was counted stays.
func (m *Monitor) Close() error {
	if m.feed == nil {
		return nil
	}
	err := m.feed.Close()
	<-m.done
	return err
}

// note counts one denial.
func (m *Monitor) note(e *Event) {
	m.mu.Lock()
	m.stats.Fed = true
	for b := range e.Blockers.All() {
		m.stats.ByBlocker[b]++
	}
	if m.workloads != nil {
		m.workloads.note(e)
	}
	m.mu.Unlock()
	m.recent.Add(e)
}

// update takes note of a snapshot, and notes in it where denials are counted.
func (m *Monitor) update(s *scan.Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.Source.Denials == scan.DenialsCounters {
		m.noteSkipped()
		m.stats.TotalKnown = true
		m.tracker.Update(s.Domains)
	}
	m.stats.Blockers = Supported(s.Kernel)
	if m.workloads != nil {
		m.named = m.named || len(s.Workloads) > 0
		m.workloads.update(s)
	}
	if m.feed != nil && m.feed.Active() {
		m.stats.Fed = true
		s.Source.Denials = m.feed.Way()
	}
}

// noteSkipped compares the feed's complete counts with the kernel's as of the last scan: a denial
// that is counted in both is first in the kernel's. Tracepoints are not complete where they are
// interrupted: the kernel skips their programs then.
func (m *Monitor) noteSkipped() {
	if m.feed == nil {
		return
	}
	counts, ok := m.feed.ByBlocker()
	if !ok {
		return
	}
	fed := uint64(0)
	for _, n := range counts {
		fed += n
	}
	if !m.stats.TotalKnown {
		m.first = fed
	}
	if total := m.tracker.Total() + m.first; total > fed {
		m.skipped = max(m.skipped, total-fed)
	}
}

// Recent returns the last denials, the newest first.
func (m *Monitor) Recent() []Denial { return m.recent.Snapshot() }

// After is that of [Recent].
func (m *Monitor) After(n uint64) (all []Denial, now, lost uint64) { return m.recent.After(n) }

// Stats returns the counts.
func (m *Monitor) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.stats
	st.Total = m.tracker.Total()
	if m.feed != nil {
		st.Lost = m.feed.Lost() + m.skipped
		if counts, ok := m.feed.ByBlocker(); ok {
			st.ByBlocker = counts
		}
	}
	if m.named {
		st.ByWorkload = make(map[string]uint64, len(m.workloads.totals))
		for name, t := range m.workloads.totals {
			st.ByWorkload[name] = t.n
		}
	}
	return st
}
