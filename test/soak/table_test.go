// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/landlockd/landlockd/test/truth"
)

// What is held.
const (
	mostCost = 1.10 // of a scrape at rest, in what one costs the calm daemon
	// mostMemory is at rest, in the most at rest in the first round. Behind a burst Go keeps some
	// megabytes, more or fewer; what grows is beyond it some rounds later.
	mostMemory = 1.25
	mostBack   = time.Minute // until all is at rest
	// mostSeries is what docs/performance.md has for a host, as many workloads as have series,
	// of what runs and of what ran, and the rules of this test.
	mostSeries = 140 + (4+2)*100 + (5+4)*5 + 20 + 20
)

// watch is what was seen beside an attack.
type watch struct {
	scrapes, reloads, explained int
	slowest, busiest            time.Duration // of scrapes: by the clock, and by the daemon's processor time
	resident, series            int
	judged                      truth.Verdict
	// wrong is what was said and not so, missed what was so and not said.
	wrong, missed []string
}

// state is what a daemon takes at rest.
type state struct {
	cost                                      float64 // processor time of a scrape, in the calm daemon's
	descriptors, goroutines, series, resident int     // resident in kB
}

// row is the worst that was seen of one attack.
type row struct {
	name string
	watch
	state
	back time.Duration // until all was at rest
}

// table is what was measured.
type table struct {
	rows    []*row
	first   state // before all attacks
	settled state // the most at rest in the first round
}

// tooMuch returns what a daemon at rest takes more of than it may: processor time than the calm
// one, descriptors and goroutines than before all attacks; from the second round on, series and
// memory than in the first one.
func (t *table) tooMuch(round int, s state) []string {
	var found []string
	more := func(what string, got, most float64) {
		if got > most {
			found = append(found, fmt.Sprintf("%s: %.4g, want at most %.4g", what, got, most))
		}
	}
	if round > 0 {
		more("processor time of a scrape", s.cost, mostCost)
		more("descriptors", float64(s.descriptors), float64(t.first.descriptors))
		more("goroutines", float64(s.goroutines), float64(t.first.goroutines))
	}
	if round > 1 {
		more("series", float64(s.series), float64(t.settled.series))
		more("resident kB", float64(s.resident), mostMemory*float64(t.settled.resident))
	}
	return found
}

// add adds an attack of a round.
func (t *table) add(round int, name string, w *watch, s state, back time.Duration) {
	if round == 1 {
		t.settled.series = max(t.settled.series, s.series)
		t.settled.resident = max(t.settled.resident, s.resident)
	}
	r := t.row(name)
	r.scrapes += w.scrapes
	r.reloads += w.reloads
	r.explained += w.explained
	r.slowest = max(r.slowest, w.slowest)
	r.busiest = max(r.busiest, w.busiest)
	r.watch.resident = max(r.watch.resident, w.resident)
	r.watch.series = max(r.watch.series, w.series)
	r.judged.Add(w.judged)
	r.wrong = append(r.wrong, w.wrong...)
	r.missed = append(r.missed, w.missed...)
	r.cost = max(r.cost, s.cost)
	r.descriptors = max(r.descriptors, s.descriptors)
	r.goroutines = max(r.goroutines, s.goroutines)
	r.state.series = max(r.state.series, s.series)
	r.state.resident = max(r.state.resident, s.resident)
	r.back = max(r.back, back)
}

func (t *table) row(name string) *row {
	for _, r := range t.rows {
		if r.name == name {
			return r
		}
	}
	r := &row{name: name}
	t.rows = append(t.rows, r)
	return r
}

// print writes the table. Beside what is at rest is what was there before all attacks.
func (t *table) print(to io.Writer, rounds int, took time.Duration) error {
	fmt.Fprintf(to, "\n%d rounds in %s; before: %d descriptors, %d goroutines, %d series, %.1f MB\n\n",
		rounds, took.Round(time.Second), t.first.descriptors, t.first.goroutines, t.first.series, megabytes(t.first.resident))
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "beside\tscrapes\tslowest\tmost CPU\tstatements\tfalse\tmissed\treloads\tseries\tMB\t"+
		"then, at rest: CPU\tin\tdescriptors\tgoroutines\tseries\tMB\t")
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s\t%d\t%d ms\t%d ms\t%d\t%d\t%d\t%d\t%d\t%.1f\t%+.0f %%\t%.1f s\t%d\t%d\t%d\t%.1f\t\n",
			r.name, r.scrapes, r.slowest.Milliseconds(), r.busiest.Milliseconds(), r.judged.Total(), len(r.wrong), len(r.missed), r.reloads,
			r.watch.series, megabytes(r.watch.resident), 100*(r.cost-1), r.back.Seconds(),
			r.descriptors, r.goroutines, r.state.series, megabytes(r.state.resident))
	}
	return w.Flush()
}

func megabytes(kB int) float64 { return float64(kB) * 1024 / 1e6 }
