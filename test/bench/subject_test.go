// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/test/bench/record"
)

// subject is what is measured beside others.
type subject struct {
	name string
	// scrape does it once; cpu is the processor time that all of it has taken so far.
	scrape func() (answer, error)
	cpu    func() (time.Duration, error)
}

// subject makes one of a program.
func (s *server) subject(name string) *subject {
	return &subject{name: name, scrape: s.scrape, cpu: s.cpu}
}

// iteration makes one of a task iterator, which the calling thread reads.
func iteration(name string, link int) *subject {
	buf := make([]byte, bpffile.ReadSize)
	sum := time.Duration(0)
	return &subject{
		name: name,
		scrape: func() (a answer, err error) {
			before, err := clock(unix.CLOCK_THREAD_CPUTIME_ID)
			failed := bpffile.Iterate(context.Background(), link, buf, func(b []byte) error {
				a.bytes += len(b)
				return nil
			})
			after, late := clock(unix.CLOCK_THREAD_CPUTIME_ID)
			sum += after - before
			return a, errors.Join(err, failed, late)
		},
		cpu: func() (time.Duration, error) { return sum, nil },
	}
}

// effort is how long subjects are measured beside one population.
type effort struct {
	// rounds in which each subject has its turn, a scrape.
	rounds int
	// patience is the time that a subject's turns may take together; it has atLeast so many.
	patience time.Duration
	atLeast  int
}

// measured is what came of a subject.
type measured struct {
	*subject
	// marks are the processor time that it had taken before each turn, and at its end.
	marks  []time.Duration
	wall   []float64 // ms, of each scrape
	answer answer
	spent  time.Duration
	ended  bool
}

// measure has subjects scrape in turns, in each round in another order: what disturbs one disturbs
// all, and each finds in the processor's caches what others left.
func measure(e effort, subjects ...*subject) ([]*measured, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all := make([]*measured, len(subjects))
	for i, s := range subjects {
		all[i] = &measured{subject: s}
		// What is done once for each process is not what a scrape costs. Who is slow has one
		// scrape for that.
		for range 2 {
			if err := all[i].turn(); err != nil {
				return nil, err
			}
			if all[i].spent > e.patience/4 {
				break
			}
		}
		all[i] = &measured{subject: s}
	}
	order := rand.New(rand.NewPCG(1, 2)) // the same in each run
	for round := range e.rounds {
		for _, i := range order.Perm(len(all)) {
			m := all[i]
			var err error
			if round < e.atLeast || m.spent < e.patience {
				err = m.turn()
			} else {
				err = m.end()
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, m := range all {
		if err := m.end(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// turn makes one scrape.
func (m *measured) turn() error {
	mark, err := m.cpu()
	began := time.Now()
	a, failed := m.scrape()
	took := time.Since(began)
	m.marks, m.wall, m.answer = append(m.marks, mark), append(m.wall, ms(took)), a
	m.spent += took
	if err = errors.Join(err, failed); err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	return nil
}

// end is behind the last turn.
func (m *measured) end() error {
	if m.ended {
		return nil
	}
	m.ended = true
	mark, err := m.cpu()
	m.marks = append(m.marks, mark)
	return err
}

// group is of how many scrapes a sample of processor time is the mean, if there are enough: so
// that what comes with some scrapes only, such as a collection of garbage, is in each.
const group = 10

// cpuSamples are in ms for one scrape, with what it left to do behind the answer.
func (m *measured) cpuSamples() []float64 {
	n := 1
	if len(m.wall) >= 3*group {
		n = group
	}
	var samples []float64
	for i := n; i < len(m.marks); i += n {
		samples = append(samples, ms(m.marks[i]-m.marks[i-n])/float64(n))
	}
	return samples
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantities of subjects, and their units.
const (
	cpuTime   = "cpu"
	wallTime  = "wall"
	wallWorst = "wall p99"
	size      = "bytes"
	series    = "series"
	resident  = "resident memory"
	besideIt  = "resident memory beside it"
	program   = "program"
)

// figures are what a record has of it.
func (m *measured) figures(p population) []record.Figure {
	figure := func(quantity, unit string, s record.Spread) record.Figure {
		return record.Figure{
			Subject: m.name, Population: p.String(), Tasks: p.tasks, Quantity: quantity, Unit: unit, Spread: s,
		}
	}
	all := []record.Figure{
		figure(cpuTime, "ms", record.Spreads(m.cpuSamples())),
		figure(wallTime, "ms", record.Spreads(m.wall)),
		figure(size, "bytes", one(m.answer.bytes)),
	}
	if len(m.wall) >= 100 {
		all = append(all, figure(wallWorst, "ms", record.Spread{
			Median: quantile(m.wall, 0.99), Low: quantile(m.wall, 0.98), High: quantile(m.wall, 1), Samples: len(m.wall),
		}))
	}
	if m.answer.series > 0 {
		all = append(all, figure(series, "", one(m.answer.series)))
	}
	return all
}

func one(n int) record.Spread { return record.Spreads([]float64{float64(n)}) }

// quantile is the value of samples below which a part of them lies.
func quantile(samples []float64, part float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	return s[min(len(s)-1, int(part*float64(len(s))))]
}
