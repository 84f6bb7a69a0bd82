// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"math/rand/v2"
	"testing"

	"github.com/landlockd/landlockd/domainid"
)

func domain(id domainid.ID, denials uint64) domainid.Domain {
	return domainid.Domain{ID: id, Denials: denials, Parent: domainid.Outermost}
}

func TestTracker(t *testing.T) {
	var tr Tracker
	for i, step := range []struct {
		domains []domainid.Domain
		want    uint64
	}{
		{[]domainid.Domain{domain(1, 1000), domain(2, 0)}, 0}, // denied before the start
		{[]domainid.Domain{domain(1, 1000), domain(2, 0)}, 0},
		{[]domainid.Domain{domain(1, 1003), domain(2, 4)}, 7},
		{[]domainid.Domain{domain(2, 5), domain(3, 10)}, 18}, // 3 is new
		{nil, 18},
		{[]domainid.Domain{domain(1, 1004)}, 19}, // it was not seen for a while
		{[]domainid.Domain{domain(1, 3)}, 19},    // no kernel counts back
		{[]domainid.Domain{domain(1, 1005)}, 20},
		{[]domainid.Domain{domain(domainid.None, 100)}, 20}, // nothing to know it by
	} {
		tr.Update(step.domains)
		if got := tr.Total(); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
}

// Whatever comes, goes and is passed over, the sum never falls, and never exceeds
// what was denied; what is seen at the end of each domain is all in it.
func TestTrackerIsALowerBound(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var tr Tracker
		tr.Update(nil)
		type life struct{ denials, seen uint64 }
		lives := map[domainid.ID]*life{}
		next := domainid.ID(1)
		var denied, last uint64
		for range 300 {
			for range rnd.IntN(4) {
				lives[next] = &life{}
				next++
			}
			var scan []domainid.Domain
			for id, l := range lives {
				n := uint64(rnd.IntN(3))
				l.denials, denied = l.denials+n, denied+n
				switch rnd.IntN(10) {
				case 0: // it ends, unseen
					denied -= l.denials - l.seen
					delete(lives, id)
				case 1: // it is not seen this time
				default:
					l.seen = l.denials
					scan = append(scan, domain(id, l.denials))
				}
			}
			tr.Update(scan)
			if tr.Total() < last {
				t.Fatalf("seed %d: it fell from %d to %d", seed, last, tr.Total())
			}
			last = tr.Total()
		}
		var unseen uint64
		for _, l := range lives {
			unseen += l.denials - l.seen
		}
		if want := denied - unseen; last != want {
			t.Errorf("seed %d: %d, want %d", seed, last, want)
		}
	}
}

func TestTrackerIsBounded(t *testing.T) {
	var tr Tracker
	id := domainid.ID(1)
	live := make([]domainid.Domain, 100)
	for range 300 {
		for i := range live {
			live[i] = domain(id, 1)
			id++
		}
		tr.Update(live)
		if n := len(tr.domains); n > maxGone+len(live) {
			t.Fatalf("%d domains are kept", n)
		}
	}
	if want := uint64(299 * 100); tr.Total() != want {
		t.Errorf("%d, want %d", tr.Total(), want)
	}
	// Domains that denied nothing take no room.
	var quiet Tracker
	quiet.Update([]domainid.Domain{domain(1, 0), domain(2, 0)})
	if len(quiet.domains) != 0 {
		t.Errorf("%d domains are kept", len(quiet.domains))
	}
	if n := testing.AllocsPerRun(100, func() { tr.Update(live) }); n != 0 {
		t.Errorf("%v allocations for a scan in which nothing is new", n)
	}
}
