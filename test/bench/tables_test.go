// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/test/bench/record"
)

// scrapeTables are those of whole scrapes: a row for each population.
func scrapeTables(p *record.Part) string {
	var populations []string
	for _, f := range p.Figures {
		if !slices.Contains(populations, f.Population) {
			populations = append(populations, f.Population)
		}
	}
	programs := []string{landlockd, landlockdMoved, nodeExporter, processExporter}
	floors := []string{emptyFloor, bareFloor, referenceFloor, scanProgram}
	t := tables{part: p, populations: populations}
	t.write("Processor time of a scrape, ms: median (middle half). `scan` is landlockd's program, read and thrown away.",
		slices.Concat(programs, floors), func(subject, population string) string {
			f, err := p.Find(subject, population, cpuTime)
			if err != nil {
				return ""
			}
			return fmt.Sprintf("%s (%s to %s)", number(f.Median), number(f.Low), number(f.High))
		})
	t.write("How many times what landlockd takes: peers.", programs[2:], func(subject, population string) string {
		return t.ratio(subject, landlockd, population, cpuTime)
	})
	t.write("How many times what floors take: landlockd.", floors, func(subject, population string) string {
		return t.ratio(landlockd, subject, population, cpuTime)
	})
	t.write("The programs alone, ns for each task, by the kernel's statistics, which are part of it.", floors,
		func(subject, population string) string { return t.median(subject, population, program) })
	t.write("Time by the clock, ms: p50, and p99 of at least 100 scrapes.", programs, func(subject, population string) string {
		p99 := t.median(subject, population, wallWorst)
		if p99 != "" {
			p99 = ", p99 " + p99
		}
		return t.median(subject, population, wallTime) + p99
	})
	t.write("Bytes and series of an answer.", programs, func(subject, population string) string {
		bytes := t.median(subject, population, size)
		if bytes == "" {
			return ""
		}
		return bytes + ", " + t.median(subject, population, series)
	})
	t.write("Resident memory of the process that serves, MB, and of the one beside it that looks for assets.",
		[]string{landlockd, landlockdFirst, landlockdMoved}, func(subject, population string) string {
			return t.median(subject, population, resident) + " + " + t.median(subject, population, besideIt)
		})
	return t.text.String()
}

// tables have a row for each population.
type tables struct {
	part        *record.Part
	populations []string
	text        strings.Builder
}

// write writes one, with a column for each subject that was measured.
func (t *tables) write(title string, subjects []string, cell func(subject, population string) string) {
	subjects = slices.DeleteFunc(slices.Clone(subjects), func(subject string) bool {
		return !slices.ContainsFunc(t.part.Figures, func(f record.Figure) bool { return f.Subject == subject })
	})
	fmt.Fprintf(&t.text, "%s\n\n| tasks | %s |\n|---|%s\n", wrap(title), strings.Join(subjects, " | "), strings.Repeat("---|", len(subjects)))
	for _, population := range t.populations {
		cells := []string{population}
		for _, subject := range subjects {
			cells = append(cells, cell(subject, population))
		}
		fmt.Fprintf(&t.text, "| %s |\n", strings.Join(cells, " | "))
	}
	t.text.WriteString("\n")
}

func (t *tables) median(subject, population, quantity string) string {
	f, err := t.part.Find(subject, population, quantity)
	if err != nil {
		return ""
	}
	return number(f.Median)
}

func (t *tables) ratio(of, to, population, quantity string) string {
	x, missing := t.part.Find(of, population, quantity)
	y, err := t.part.Find(to, population, quantity)
	if missing != nil || err != nil || y.Median == 0 {
		return ""
	}
	return number(x.Median / y.Median)
}
