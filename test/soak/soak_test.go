// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/truth"
)

// churned is how many processes of the churn there are at most, beside each attack.
const churned = 60

// soak runs all attacks, again and again for as long as it is to last, but twice at least:
// what grows shows when they are repeated.
func soak(t *testing.T) {
	landlockd := buildLandlockd(t)
	source, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	a := newArena(t, landlockd, source)
	known := startWitnesses(t, a)
	a.daemon = startDaemon(t, landlockd, known.rules())
	// The calm daemon is asked for nothing beside an attack. What a scrape costs the other one
	// is measured in what one costs this one at the same time.
	r := resting{daemon: a.daemon, calm: startDaemon(t, landlockd, known.rules()), known: known, table: &table{}}
	for range 10 { // until both have found all that they remember
		s := r.look(t)
		s.descriptors = max(s.descriptors, r.table.first.descriptors)
		s.goroutines = max(s.goroutines, r.table.first.goroutines)
		r.table.first = s
	}

	all := attacks()
	long := min(10*time.Second, *soakFor/time.Duration(4*len(all)))
	round, began := 0, time.Now()
	for !t.Failed() && (round < 2 || time.Since(began) < *soakFor) {
		round++
		for _, attack := range all {
			w := beside(t, a, known, attack, long)
			s, back := r.wait(t, round)
			r.table.add(round, attack.name, w, s, back)
			t.Logf("round %d, %s: %d scrapes, the slowest %s; at rest after %s", round, attack.name, w.scrapes,
				w.slowest.Round(time.Millisecond), back.Round(time.Millisecond))
			report(t, attack.name, w, r.table.tooMuch(round, s), back)
		}
	}
	if err := r.table.print(os.Stdout, round, time.Since(began)); err != nil {
		t.Error(err)
	}
}

// report fails the test for what does not hold of an attack.
func report(t *testing.T, name string, w *watch, tooMuch []string, back time.Duration) {
	t.Helper()
	truth.Fail(t.Errorf, name+": false", w.wrong)
	truth.Fail(t.Errorf, name+": missed", w.missed)
	truth.Fail(t.Errorf, name+", "+back.Round(time.Second).String()+" later", tooMuch)
	if w.slowest > *slowest {
		t.Errorf("%s: a scrape took %s", name, w.slowest)
	}
	if w.series > mostSeries {
		t.Errorf("%s: %d series", name, w.series)
	}
}

// beside looks at the daemon beside an attack and a churn, has it read its rules again, and
// asks it by its socket.
func beside(t *testing.T, a *arena, known *witnesses, attack attacked, long time.Duration) *watch {
	t.Helper()
	w := &watch{}
	churn, err := truth.StartChurn(t.Context(), a.churner, uint64(time.Now().UnixNano()), churned)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // until the families have their names
	a.look = nil
	end := attack.start(t, a)
	for began := time.Now(); time.Since(began) < long || w.scrapes < 5; time.Sleep(10 * time.Millisecond) {
		known.scrape(t, a.daemon, w)
		w.resident = max(w.resident, a.daemon.resident(t))
		if _, err := churn.Look(t.Context(), a.source, &w.judged); err != nil {
			t.Fatal(err)
		}
		if a.look != nil {
			wrong, err := a.look()
			if err != nil {
				t.Fatal(err)
			}
			w.wrong = append(w.wrong, wrong...)
		}
		if time.Since(began) < time.Duration(w.explained)*time.Second {
			continue
		}
		w.explained++
		reload(t, a.daemon, known, w)
		out := a.explain(t, known.inside)
		if !strings.Contains(out, fmt.Sprintf("is sandboxed at depth %d", insideDepth)) {
			w.wrong = append(w.wrong, "explain of a witness: "+out)
		}
	}
	end()
	if w.judged.Total() == 0 {
		t.Errorf("%s: nothing of the churn was seen", attack.name)
	}
	w.wrong = append(w.wrong, w.judged.False...)
	if err := churn.Close(); err != nil {
		t.Error(err)
	}
	return w
}

// reload has the daemon read rules that are no rules, and then those in force.
func reload(t *testing.T, d *daemon, known *witnesses, w *watch) {
	t.Helper()
	for want, rules := range []string{"rules: [{}]\n", known.rules()} {
		d.configure(t, rules)
		d.hangUp(t)
		await(t, "the daemon has read its rules", func() bool {
			return known.scrape(t, d, w)["landlockd_config_last_reload_successful"] == float64(want)
		})
		w.reloads++
	}
}
