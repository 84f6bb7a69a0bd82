// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// clock is a time that snapshots have.
func clock(minutes int) time.Time {
	return time.Unix(1e9, 0).Add(time.Duration(minutes) * time.Minute)
}

// round notes denials of programs by their names, with how many, and updates with a scan
// that finds these programs and those that run. A name that begins with "u" is a unit's,
// with "m" a user's unit's.
func round(w *workloads, minutes int, denials map[string]uint64, runs ...string) {
	names := slices.AppendSeq(slices.Clone(runs), maps.Keys(denials))
	slices.Sort(names)
	h := newHost(slices.Compact(names)...)
	h.Time = clock(minutes)
	for i := range h.Workloads {
		of := &h.Workloads[i]
		switch of.Name[0] {
		case 'u':
			of.Kind = scan.Unit
		case 'm':
			of.Kind = scan.UserUnit
		}
		pid, id := int32(i+1), domainid.ID(i+100)
		h.process(pid, of.Name, h.domain(id, domainid.Outermost))
		for range denials[of.Name] {
			w.note(denied(id, 0, who(pid, uint64(pid)*10)))
		}
	}
	w.update(h.Snapshot)
}

func TestWorkloadsHaveSlots(t *testing.T) {
	w := newWorkloads(2, func(name string) bool { return name != "hidden" })
	one := func(names ...string) map[string]uint64 {
		m := map[string]uint64{}
		for _, name := range names {
			m[name] = 1
		}
		return m
	}
	for _, c := range []struct {
		at      int
		denials map[string]uint64
		runs    string
		want    string
	}{
		{0, nil, "a", ""},
		{0, one("a", "b", "c", "hidden", workload.Other), "", "a=1 b=1 other=3"},
		{1, one("a", "c"), "b", "a=2 b=1 other=4"}, // who has a slot keeps it
		{1, nil, "", "a=2 b=1 other=4"},
		{2, one("m"), "a b", "a=2 m=1 other=5"},   // until one of a better class comes
		{3, one("u"), "a m", "m=1 other=7 u=1"},   // to which all users' names yield
		{4, one("a", "m"), "", "m=2 other=8 u=1"}, // who is gone keeps it
		{62, one("b"), "m", "m=2 other=9 u=1"},
		{63, one("b"), "m", "b=1 m=2 other=10"}, // for an hour
		{64, one("u2"), "m b", "m=2 other=11 u2=1"},
		{65, one("u3", "m"), "", "other=14 u2=1 u3=1"},
	} {
		round(w, c.at, c.denials, strings.Fields(c.runs)...)
		if got := totals(w); got != strings.TrimSpace(c.want) {
			t.Errorf("%d: %s, want %s", c.at, got, c.want)
		}
	}
	none := newWorkloads(0, nil)
	round(none, 0, map[string]uint64{"a": 2, "u": 1})
	if got := totals(none); got != "other=3" {
		t.Error(got)
	}
}

// The scan before decides whose word a name is, if the program is gone by the next.
func TestSlotOfWhatWasDeniedLast(t *testing.T) {
	w := newWorkloads(1, nil)
	round(w, 0, map[string]uint64{"a": 1})
	h := newHost("u")
	h.Workloads[0].Kind = scan.Unit
	h.process(5, "u", h.domain(100, domainid.Outermost))
	w.update(h.Snapshot)
	w.note(denied(100, 0, who(5, 50)))
	w.update(newHost("a").Snapshot)
	if got := totals(w); got != "other=1 u=1" {
		t.Error(got)
	}
}

// Whoever has programs of ever new names denied takes no series from units and makes
// few, and every count is kept.
func TestWorkloadsUnderChurn(t *testing.T) {
	const limit, hours = 20, 5
	for _, prefix := range []string{"x", "m"} {
		w := newWorkloads(limit, nil)
		everHad := map[string]bool{}
		units := uint64(0)
		for minute := range hours * 60 {
			denials := map[string]uint64{}
			for i := range 2 * limit {
				denials[fmt.Sprintf("%s%d-%d", prefix, minute, i)] = 1
			}
			if minute >= 10 {
				for i := range 5 {
					denials[fmt.Sprintf("u%d", i)] = 1
				}
				units++
			}
			round(w, minute, denials)
			for name := range w.totals {
				everHad[name] = true
			}
			for i := range 5 {
				name := fmt.Sprintf("u%d", i)
				if of := w.totals[name]; units > 0 && (of == nil || of.n != units) {
					t.Fatalf("%s: minute %d: %s has %v, want %d", prefix, minute, name, of, units)
				}
			}
		}
		if got, want := sum(w), units*5+hours*60*2*limit; got != want {
			t.Errorf("%s: the sum is %d, want %d", prefix, got, want)
		}
		if most := 1 + limit + 5 + hours*limit/5; len(everHad) > most {
			t.Errorf("%s: %d different names, want at most %d", prefix, len(everHad), most)
		}
	}
}

// sum is the number of denials that a workload has.
func sum(w *workloads) (n uint64) {
	for _, t := range w.totals {
		n += t.n
	}
	return n
}

// TestWorkloadsModel: whatever is denied, each denial is counted once, where it belongs,
// and only the count of a name that lost its slot goes down: the others have it then.
func TestWorkloadsModel(t *testing.T) {
	var pool []string
	for i := range 40 {
		pool = append(pool, fmt.Sprintf("%c%d", "uumxxxxx"[i%8], i))
	}
	yielded := 0
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 14))
		w := newWorkloads(r.IntN(20), nil)
		before := map[string]uint64{}
		given := map[int]int{} // users' names that got a slot, by minute
		minute := 0
		for step := range 60 {
			minute += r.IntN(30)
			denials := map[string]uint64{}
			var runs []string
			for _, name := range pool {
				switch r.IntN(4) {
				case 0:
					denials[name] = 1 + r.Uint64N(3)
				case 1:
					runs = append(runs, name)
				}
			}
			round(w, minute, denials, runs...)
			now := map[string]uint64{}
			for name, of := range w.totals {
				now[name] = of.n
			}
			want := map[string]uint64{workload.Other: before[workload.Other]}
			for _, name := range pool {
				n, has := now[name]
				switch all := before[name] + denials[name]; {
				case has:
					want[name] = all
				default:
					want[workload.Other] += all
				}
				if _, had := before[name]; had && !has {
					yielded++
				}
				if _, had := before[name]; has && !had && name[0] != 'u' && step > 0 {
					given[minute]++
				}
				if has && n == 0 {
					t.Fatalf("%d, %d: %s has nothing", seed, minute, name)
				}
			}
			if want[workload.Other] == 0 {
				delete(want, workload.Other)
			}
			if !maps.Equal(now, want) {
				t.Fatalf("%d, %d: %v, want %v", seed, minute, now, want)
			}
			delete(now, workload.Other)
			if len(now) > w.limit {
				t.Fatalf("%d, %d: %d names, the limit is %d", seed, minute, len(now), w.limit)
			}
			users := slices.ContainsFunc(slices.Collect(maps.Keys(now)), func(name string) bool {
				return name[0] != 'u'
			})
			for name := range denials {
				if _, has := now[name]; name[0] == 'u' && !has && users {
					t.Fatalf("%d, %d: %s yields to a user's name: %v", seed, minute, name, now)
				}
			}
			recent := 0
			for at, n := range given {
				if minute-at < 60 {
					recent += n
				}
			}
			if recent > max(1, w.limit/5) {
				t.Fatalf("%d, %d: %d new names of users in an hour, the limit is %d", seed, minute, recent, w.limit)
			}
			before = now
			before[workload.Other] = want[workload.Other]
		}
	}
	if yielded < 100 {
		t.Errorf("%d names lost a slot: too few to mean anything", yielded)
	}
}
