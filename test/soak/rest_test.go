// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/exposition"
)

// resting measures what a daemon takes while nobody attacks.
type resting struct {
	daemon, calm *daemon
	known        *witnesses
	table        *table
}

// wait waits until the daemon takes no more than it may, a minute at most, and returns what
// it takes then, and how long that was.
func (r *resting) wait(t *testing.T, round int) (state, time.Duration) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		s := r.look(t)
		if back := time.Since(began); back > mostBack || len(r.table.tooMuch(round, s)) == 0 {
			return s, back
		}
	}
}

// look measures once.
func (r *resting) look(t *testing.T) state {
	t.Helper()
	var costs, calm []time.Duration
	var m exposition.Samples
	var w watch
	goroutines := math.MaxInt // some have yet to end when a scrape counts them
	for range 20 {
		costs = append(costs, cost(t, r.daemon, func() { m = r.known.scrape(t, r.daemon, &w) }))
		goroutines = min(goroutines, int(m["go_goroutines"]))
		calm = append(calm, cost(t, r.calm, func() { r.known.scrape(t, r.calm, &w) }))
	}
	report(t, "at rest", &w, nil, 0)
	return state{
		cost:        float64(quartile(costs)) / float64(quartile(calm)),
		descriptors: r.daemon.descriptors(t), goroutines: goroutines,
		series: series(m), resident: r.daemon.resident(t),
	}
}

// series is how many there are, but for those that workloads keep of which something ended,
// up to their limit.
func series(m exposition.Samples) (n int) {
	for name := range m {
		if !strings.HasPrefix(name, "landlock_workload_runs_total{") {
			n++
		}
	}
	return n
}

// cost is the processor time that a daemon takes for what is done.
func cost(t *testing.T, d *daemon, do func()) time.Duration {
	t.Helper()
	before := d.cpu(t)
	do()
	return d.cpu(t) - before
}

// quartile is the lower one: what disturbs a measurement makes it longer.
func quartile(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/4]
}
