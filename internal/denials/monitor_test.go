// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// fakeFeed yields what a test sends it.
type fakeFeed struct {
	events chan *Event
	done   chan bool
	active atomic.Bool
	own    bool
}

func newFakeFeed() *fakeFeed { return &fakeFeed{events: make(chan *Event), done: make(chan bool)} }

func (f *fakeFeed) Run(to func(*Event)) {
	for {
		select {
		case e := <-f.events:
			to(e)
		case <-f.done:
			return
		}
	}
}
func (f *fakeFeed) Active() bool { return f.active.Load() }
func (f *fakeFeed) Way() string  { return scan.DenialsAudit }
func (f *fakeFeed) Lost() uint64 { return 3 }
func (f *fakeFeed) Close() error { close(f.done); return nil }
func (f *fakeFeed) ByBlocker() (by [NumBlockers]uint64, ok bool) {
	by[Ptrace] = 44
	return by, f.own
}

type fakeSource struct {
	scan.Source
	snap *scan.Snapshot
	err  error
}

func (f *fakeSource) Scan(context.Context) (*scan.Snapshot, error) { return f.snap, f.err }

func TestMonitor(t *testing.T) {
	feed := newFakeFeed()
	m := NewMonitor(Options{Feed: feed, WorkloadLimit: 10})
	src := &fakeSource{}
	s := NewSource(src, m)
	see := func(denials uint64) *scan.Snapshot {
		t.Helper()
		h := newHost("a")
		h.process(7, "a", h.domain(100, domainid.Outermost))
		h.Domains[0].Denials = denials
		src.snap = h.Snapshot
		snap, err := s.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}
	if st := m.Stats(); st.TotalKnown || st.Fed || st.ByWorkload != nil {
		t.Errorf("before the first scan: %+v", st)
	}
	if got := see(5).Source.Denials; got != scan.DenialsCounters {
		t.Errorf("audit is off, and denials are counted by %s", got)
	}
	feed.active.Store(true)
	if got := see(8).Source.Denials; got != scan.DenialsAudit {
		t.Errorf("audit is on, and denials are counted by %s", got)
	}
	both := denied(100, 0)
	both.Blockers.Add(Ptrace)
	feed.events <- both
	feed.events <- denied(100, 0)
	feed.active.Store(false)
	src.err = errors.New("no scan")
	if _, err := s.Scan(t.Context()); err != src.err { //nolint:errorlint // the very same
		t.Error(err)
	}
	src.err = nil
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if got := see(8).Source.Denials; got != scan.DenialsCounters {
		t.Errorf("audit is off again, and denials are counted by %s", got)
	}
	st := m.Stats()
	if !st.TotalKnown || st.Total != 3 || !st.Fed || st.Lost != 3 || st.ByBlocker[0] != 2 || st.ByBlocker[Ptrace] != 1 || len(st.ByWorkload) != 1 || st.ByWorkload["a"] != 2 {
		t.Errorf("%+v", st)
	}
	if !st.Blockers.Has(Ptrace) || st.Blockers.Has(Unknown) {
		t.Errorf("this kernel has %v", st.Blockers.Names())
	}
	if r := m.Recent(); len(r) != 2 || r[1].Blockers[1] != "ptrace" {
		t.Errorf("%+v", r)
	}
	feed.own = true
	if st := m.Stats(); st.ByBlocker[0] != 0 || st.ByBlocker[Ptrace] != 44 {
		t.Errorf("the feed's own counts are not taken: %v", st.ByBlocker)
	}
	for _, lost := range []uint64{3, 3 + 16} { // a scan later
		see(8 + 57)
		if st := m.Stats(); st.Total != 60 || st.Lost != lost {
			t.Errorf("of %d denials the feed counted 44, lost are %d, want %d", st.Total, st.Lost, lost)
		}
	}
}

func TestMonitorWithoutFeed(t *testing.T) {
	m := NewMonitor(Options{HideWorkloads: true})
	h := newHost("a")
	h.Source.Denials = scan.DenialsNone
	snap, err := NewSource(&fakeSource{snap: h.Snapshot}, m).Scan(t.Context())
	if err != nil || snap.Source.Denials != scan.DenialsNone {
		t.Errorf("%v, %v", snap, err)
	}
	if st := m.Stats(); st.TotalKnown || st.Fed || st.ByWorkload != nil || st.Lost != 0 {
		t.Errorf("%+v", st)
	}
	if err := m.Close(); err != nil || len(m.Recent()) != 0 {
		t.Error(err)
	}
}

func BenchmarkNote(b *testing.B) {
	m := NewMonitor(Options{WorkloadLimit: 10})
	e := denied(100, 0, path("/some/file"))
	b.ReportAllocs()
	for b.Loop() {
		e.Time = e.Time.Add(time.Millisecond)
		m.note(e)
	}
}
