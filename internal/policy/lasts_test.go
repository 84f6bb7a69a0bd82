// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// What an evaluation came to is kept for snapshots that show the same. Beside one that evaluates
// all of them it must come to the same, whatever the rules, however time goes on, and whatever
// command lines become.
func TestKeptEvaluationIsThatOfNow(t *testing.T) {
	var kept, anew, moved int
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 20))
		c := load(t, someRules(rnd))
		turn := int32(0)
		cmdline := func(p *scan.Process) (string, bool) { return string('a' + (p.PID+turn)%3), (p.PID+turn)%4 != 0 }
		keeps, always := New(c, Options{Cmdline: cmdline}), New(c, Options{Cmdline: cmdline})
		var snap *scan.Snapshot
		var last *Evaluation
		for range 25 {
			turn = rnd.Int32N(4)
			if snap == nil || rnd.IntN(10) == 0 {
				snap = someHost(rnd).Snapshot
				snap.Conclude()
				last = nil
			} else {
				snap = snap.Again()
				passed := time.Duration(rnd.IntN(120)) * time.Second
				if rnd.IntN(5) == 0 {
					passed = time.Duration(rnd.IntN(48)) * time.Hour
				}
				snap.Time, snap.Uptime = snap.Time.Add(passed), snap.Uptime+passed
				if rnd.IntN(12) == 0 { // the clock is set
					snap.Time = snap.Time.Add(-time.Duration(rnd.IntN(100)) * time.Hour)
				}
			}
			always.last = lasting{}
			got, want := keeps.Evaluate(snap), always.Evaluate(snap)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: got %+v\nwant %+v", seed, got, want)
			}
			switch {
			case got == last:
				kept++
			case last != nil:
				anew++
				if !reflect.DeepEqual(got, last) {
					moved++
				}
			}
			last = got
		}
	}
	t.Logf("kept %d times, found again %d times, %d of them another one", kept, anew, moved)
	if kept < 200 || moved < 200 {
		t.Error("this says little")
	}
}

// The bounds themselves: a result is kept until the instant at which it is another one.
func TestKeptUntil(t *testing.T) {
	const rules = `rules:
- {name: young, match: {exe: [/bin/a]}, grace: 10s, expect: {state: [sandboxed]}}
- {name: waived, match: {exe: [/bin/b]}, accept: {until: 2027-01-02, reason: soon}}
- {name: needed, match: {exe: [/bin/c]}, grace: 2000s, min_processes: 1}
`
	h := newHost()
	h.Time = time.Date(2027, 1, 1, 23, 0, 0, 0, time.UTC)
	h.process(-1, "/bin/a", -1).Start = uint64(h.Uptime - 4*time.Second)
	h.process(-1, "/bin/b", -1).Start = second
	h.Conclude()
	e := New(load(t, rules), Options{})
	at := func(passed time.Duration) *Evaluation {
		s := h.Again()
		s.Time, s.Uptime = s.Time.Add(passed), s.Uptime+passed
		return e.Evaluate(s)
	}
	steps := []struct {
		passed                time.Duration
		young, waived, needed bool // are violated
		anew                  bool
	}{
		{0, false, false, false, true},
		{6*time.Second - 1, false, false, false, false},
		{6 * time.Second, true, false, false, true},
		{1000*time.Second - 1, true, false, false, false},
		{1000 * time.Second, true, false, true, true},
		{time.Hour - 1, true, false, true, true}, // two outgrew the grace of a rule about others
		{time.Hour, true, true, true, true},
		{1000 * time.Hour, true, true, true, false},
	}
	var last *Evaluation
	for _, s := range steps {
		r := at(s.passed)
		got := []bool{r.rule("young").Violated, r.rule("waived").Violated, r.rule("needed").Violated}
		if want := []bool{s.young, s.waived, s.needed}; !reflect.DeepEqual(got, want) {
			t.Errorf("after %v: violated %v, want %v", s.passed, got, want)
		}
		if (r != last) != s.anew {
			t.Errorf("after %v: found anew: %t", s.passed, r != last)
		}
		last = r
	}
}
