// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"errors"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// fake is a feed that a test fills.
type fake struct {
	next   []Drained
	err    error
	ages   []time.Duration
	comm   bool
	asked  int
	marked []Process
	marks  int
	closed int
}

func (f *fake) Drain() (d Drained, err error) {
	if len(f.next) > 0 && f.err == nil {
		d, f.next = f.next[0], f.next[1:]
	}
	return d, f.err
}

func (f *fake) Ask(ages []time.Duration, comm bool) error {
	f.ages, f.comm = ages, comm
	f.asked++
	return nil
}

func (f *fake) Mark(p []Process) {
	f.marked = append([]Process(nil), p...)
	f.marks++
}

func (f *fake) Filling() <-chan struct{} { return nil }

func (f *fake) Close() error {
	f.closed++
	return nil
}

// put has the feed return cells at the next call.
func (f *fake) put(cells ...Cell) { f.next = append(f.next, Drained{Cells: cells}) }

func TestTotals(t *testing.T) {
	f := &fake{}
	tally := NewTally(TallyOptions{Feed: f, Since: time.Unix(7, 0)})
	f.next = []Drained{
		{Cells: []Cell{{Key: Key{State: scan.Sandboxed}, Count: 3}, {Key: Key{Kind: Launch}, Count: 2}}, Folded: 2, Missed: 1},
		{Cells: []Cell{{Key: Key{State: scan.Sandboxed}, Count: 4}}, Missed: 5}, {Missed: 5},
	}
	for range 3 {
		tally.Update(nil)
	}
	f.err = errors.New("x")
	tally.Update(nil)
	got := tally.Stats()
	if got.Ended["sandboxed"] != 7 || got.Launches["unknown"] != 2 || len(got.Ended) != 4 || got.Lost != 7 ||
		!got.Since.Equal(time.Unix(7, 0)) {
		t.Errorf("%+v", got)
	}
	for range 2 {
		if err := tally.Close(); err != nil || f.closed != 1 {
			t.Errorf("%v, closed %d times", err, f.closed)
		}
	}
}
