// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
)

var churnFor = flag.Duration("bench.churn", 10*time.Minute, "how long BenchmarkChurn looks; at least three minutes")

const (
	// churnRate is how many processes are made, and end, each second.
	churnRate = 500
	// mostChurnGrowth is what memory of the last minute may be of that of the second.
	mostChurnGrowth = 1.05
)

// BenchmarkChurn looks each second at the memory of a daemon that is scraped each second, while
// processes come and go.
func BenchmarkChurn(b *testing.B) {
	testenv.NeedRoot(b)
	seconds := int(churnFor.Seconds())
	if seconds < 180 {
		b.Fatal("the last minute is compared with the second one: -bench.churn must be three minutes at least")
	}
	dir := testenv.PublicDir(b)
	buildLandlockd(b, dir)
	program := buildC(b, dir, "churn")
	s := startLandlockd(b, dir, "--scan.min-interval=0")
	ended, err := s.total("landlock_runs_total")
	if err != nil {
		b.Fatal(err)
	}
	end := startChurn(b, program)
	began := time.Now()
	memory := record.Curve{Name: "resident memory"}
	var samples []float64
	for i := 1; i <= seconds; i++ {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second)))
		if _, err := s.scrape(); err != nil {
			b.Fatal(err)
		}
		mb, err := residentMemory(s.pids[0])
		if err != nil {
			b.Fatal(err)
		}
		samples = append(samples, mb)
		memory.Points = append(memory.Points, [2]float64{float64(i), samples[i-1]})
	}
	made := end()
	after, err := s.total("landlock_runs_total")
	if err != nil {
		b.Fatal(err)
	}
	// Otherwise this was no churn, or the daemon did not see it.
	if want := 0.9 * churnRate * float64(seconds); float64(made) < want || after-ended < want {
		b.Errorf("%d processes came in %d seconds, and %.0f ended for the daemon; want at least %.0f",
			made, seconds, after-ended, want)
	}
	second, last := record.Spreads(samples[60:120]), record.Spreads(samples[seconds-60:])
	figure := func(quantity string, spread record.Spread) record.Figure {
		return record.Figure{Subject: landlockd, Population: "churn", Tasks: 2 * churnRate, Quantity: quantity, Unit: "MB", Spread: spread}
	}
	keep(b, "churn", &record.Part{
		Title: "Memory while processes come and go",
		Method: fmt.Sprintf("Each second %d processes end and as many are made, half of them in a domain of their own, for %v. "+
			"Landlockd is scraped each second.", churnRate, *churnFor),
		Figures: []record.Figure{
			figure("resident memory in the second minute", second), figure("resident memory in the last minute", last),
		},
		Budgets: []record.Budget{{
			What: "resident memory in the last minute of a churn, to the second", Unit: "×",
			Measured: last.Median / second.Median, Bound: mostChurnGrowth,
		}},
		Picture: &record.Picture{
			Title: "Resident memory while 500 processes come and go each second", X: "seconds", Y: "MB",
			Curves: []record.Curve{memory},
		},
	})
}

// startChurn returns what ends it, and returns how many processes it made.
func startChurn(b *testing.B, program string) (end func() int) {
	b.Helper()
	stop := sleepers(b, program, fmt.Sprint(churnRate))
	return func() int {
		made, err := strconv.Atoi(strings.TrimSpace(stop()))
		if err != nil {
			b.Errorf("the churn: %v", err)
		}
		return made
	}
}

// total is the sum of all series of a metric, of which there must be one.
func (s *server) total(metric string) (sum float64, err error) {
	page, err := s.page()
	if err != nil {
		return 0, err
	}
	found := false
	for line := range strings.Lines(string(page)) {
		labels, is := strings.CutPrefix(line, metric)
		if !is || !strings.ContainsAny(labels[:1], "{ ") {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " "):]), 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", metric, err)
		}
		sum, found = sum+n, true
	}
	if !found {
		return 0, fmt.Errorf("the page has no %s", metric)
	}
	return sum, nil
}
