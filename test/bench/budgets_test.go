// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"slices"
	"testing"

	"github.com/landlockd/landlockd/test/bench/record"
)

// ledger looks figures up, and fails where one is missing: a budget that was not measured is
// none that was kept.
type ledger struct {
	b    *testing.B
	part *record.Part
}

func (l ledger) of(subject string, p population, quantity string) float64 {
	l.b.Helper()
	f, err := l.part.Find(subject, p.String(), quantity)
	if err != nil {
		l.b.Fatal(err)
	}
	return f.Median
}

// worst is the greatest ratio of two subjects beside populations of a size and of some kinds.
func (l ledger) worst(tasks int, kinds []string, quantity, subject, to string) float64 {
	l.b.Helper()
	ratio := 0.0
	for _, kind := range kinds {
		p := population{tasks, kind}
		ratio = max(ratio, l.of(subject, p, quantity)/l.of(to, p, quantity))
	}
	return ratio
}

var (
	// ofProcesses are the kinds whose tasks are processes.
	ofProcesses = []string{"unsandboxed", "sandboxed", "mix"}
	// sameFacts are those of which landlockd's program returns what the reference does: of others
	// also what rules grant on the root directory, so that to compare them is no measure.
	sameFacts = []string{"unsandboxed", "sandboxed"}
)

// scrapeBudgets are those of scrapes that the sizes allow to judge.
func scrapeBudgets(b *testing.B, part *record.Part, sizes []int) []record.Budget {
	l, none := ledger{b, part}, population{}
	has := func(n int) bool { return slices.Contains(sizes, n) }
	// What a scrape takes beyond the program and the transfer of what that returns.
	userSpace := func(p population) float64 { return l.of(landlockd, p, cpuTime) - l.of(scanProgram, p, cpuTime) }
	budgets := []record.Budget{{
		What: "user space of a scrape beside no processes but the machine's own", Unit: "ms", Measured: userSpace(none), Bound: 2,
	}}
	if has(1000) {
		mix := population{1000, "mix"}
		budgets = append(budgets,
			record.Budget{What: "scrape at 1 000 processes, to the bare iterator", Unit: "×",
				Measured: l.worst(1000, ofProcesses, cpuTime, landlockd, bareFloor), Bound: 5},
			record.Budget{What: "scrape at 1 000 processes, process-exporter to it", Unit: "×", Least: true,
				Measured: l.of(processExporter, mix, cpuTime) / l.of(landlockd, mix, cpuTime), Bound: 150},
		)
	}
	if has(10_000) {
		mix, perProcess := population{10_000, "mix"}, 0.0
		memory := 0.0
		for _, kind := range ofProcesses {
			p := population{10_000, kind}
			perProcess = max(perProcess, (userSpace(p)-userSpace(none))/10_000*1000)
			memory = max(memory, l.of(landlockd, p, resident), l.of(landlockdFirst, p, resident))
		}
		budgets = append(budgets,
			record.Budget{What: "scrape at 10 000 processes, to the reference iterator", Unit: "×",
				Measured: l.worst(10_000, ofProcesses, cpuTime, landlockd, referenceFloor), Bound: 1.5},
			record.Budget{What: "scrape at 10 000 processes, to the bare iterator", Unit: "×",
				Measured: l.worst(10_000, ofProcesses, cpuTime, landlockd, bareFloor), Bound: 3.5},
			record.Budget{What: "the program scan at 10 000 processes, to the reference, of the same facts", Unit: "×",
				Measured: l.worst(10_000, sameFacts, program, scanProgram, referenceFloor), Bound: 1.25},
			record.Budget{What: "user space for each process more", Unit: "µs", Measured: perProcess, Bound: 0.3},
			record.Budget{What: "two scrapers at once, to one", Unit: "×",
				Measured: l.of(landlockd+", two", mix, cpuTime) / l.of(landlockd+", one", mix, cpuTime), Bound: 1.1},
			record.Budget{What: "resident memory at 10 000 processes", Unit: "MB", Measured: memory, Bound: 25},
		)
	}
	if has(100_000) && has(10_000) {
		growth, memory := 0.0, 0.0
		for _, kind := range kinds {
			small, large := population{10_000, kind}, population{100_000, kind}
			growth = max(growth, l.of(landlockd, large, cpuTime)/l.of(landlockd, small, cpuTime))
			memory = max(memory, l.of(landlockd, large, resident), l.of(landlockdFirst, large, resident))
		}
		budgets = append(budgets,
			record.Budget{What: "scrape at 100 000 tasks, to 10 000", Unit: "×", Measured: growth, Bound: 11},
			record.Budget{What: "resident memory at 100 000 tasks", Unit: "MB", Measured: memory, Bound: 60},
		)
	}
	return budgets
}

// growth is how scrapes grow with a mix.
func growth(part *record.Part, sizes []int) *record.Picture {
	p := &record.Picture{
		Title: "Processor time of a scrape", X: "tasks, half of them in 500 domains", Y: "ms", Log: true,
	}
	for _, subject := range []string{processExporter, nodeExporter, landlockd, referenceFloor, bareFloor, emptyFloor} {
		c := record.Curve{Name: subject}
		for _, n := range sizes {
			if f, err := part.Find(subject, population{n, "mix"}.String(), cpuTime); err == nil {
				c.Points = append(c.Points, [2]float64{float64(n), f.Median})
			}
		}
		p.Curves = append(p.Curves, c)
	}
	return p
}
