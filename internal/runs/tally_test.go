// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/testenv"
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
	if len(f.next) > 0 {
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

// bench is a tally with a feed that a test fills, and rules in a file.
type bench struct {
	*Tally
	t    testing.TB
	feed *fake
	path string
	log  testenv.Output
}

var kernel = scan.Kernel{Landlock: scan.Enabled, ABI: 6, Rights: access.Exactly(access.Supported(6))}

func newBench(t testing.TB, rules string, change func(*TallyOptions)) *bench {
	t.Helper()
	b := &bench{t: t, feed: &fake{}, path: filepath.Join(t.TempDir(), "rules.yml")}
	b.write(rules)
	logger := slog.New(slog.NewTextHandler(&b.log, nil))
	set, err := inforce.New(inforce.Options{
		Load: func() (*policy.Config, error) { return policy.Load(b.path) }, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := TallyOptions{
		Feed: b.feed, Since: time.Unix(7, 0), Rules: set, Kernel: kernel, WorkloadLimit: 100, Logger: logger,
		Resolver: workload.Open(workload.Options{ProcFS: t.TempDir(), CgroupFS: t.TempDir()}),
	}
	if change != nil {
		change(&o)
	}
	b.Tally = NewTally(o)
	b.clock.now = func() time.Time { return time.Unix(1e9, 0) }
	b.clock.uptime = func() (time.Duration, error) { return 1000 * time.Second, nil }
	return b
}

func (b *bench) write(rules string) {
	b.t.Helper()
	if err := errors.Join(os.WriteFile(b.path+".new", []byte(rules), 0o600), os.Rename(b.path+".new", b.path)); err != nil {
		b.t.Fatal(err)
	}
}

// reload has the daemon load other rules.
func (b *bench) reload(rules string) {
	b.t.Helper()
	b.write(rules)
	if err := b.o.Rules.Reload(); err != nil {
		b.t.Fatal(err)
	}
}

// end has the feed return cells at the next call, and counts them.
func (b *bench) end(cells ...Cell) {
	b.feed.next = append(b.feed.next, Drained{Cells: cells})
	b.Update(nil)
}

// logged waits until the log has some lines, and returns it.
func (b *bench) logged(lines int) string {
	b.t.Helper()
	for range 1000 {
		if text := b.log.String(); strings.Count(text, "\n") >= lines {
			return text
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatalf("the log has no %d lines: %s", lines, b.log.String())
	return ""
}

// cell is runs of /bin/a in a unit.
func cell(unit string, state scan.State, age time.Duration, count uint64) Cell {
	c := Cell{Count: count, Key: Key{
		State: state, CgroupID: 5, Cgroup: "/system.slice/" + unit, Exe: "/bin/a", ExeOrigin: scan.OfHost, UID: 7, MinAge: age,
	}}
	if state == scan.Sandboxed {
		c.Depth, c.Handled = 1, access.Rights{access.FS: 1}
	}
	return c
}

func launch(c Cell) Cell {
	c.Kind = Launch
	return c
}

func noRules(t testing.TB) *bench { return newBench(t, "rules: []\n", nil) }

func TestTotals(t *testing.T) {
	b := noRules(t)
	b.feed.next = []Drained{
		{Cells: []Cell{{Key: Key{State: scan.Sandboxed}, Count: 3}, {Key: Key{Kind: Launch, Folded: true}, Count: 2}}, Missed: 1},
		{Cells: []Cell{{Key: Key{State: scan.Sandboxed}, Count: 4}}, Missed: 5},
		{Missed: 5},
	}
	for range 3 {
		b.Update(nil)
	}
	b.feed.err = errors.New("no way")
	for range 3 {
		b.end(Cell{Key: Key{State: scan.Partial}, Count: 1}) // what came before the error counts
	}
	got := b.Stats()
	if got.Ended["sandboxed"] != 7 || got.Ended["partial"] != 3 || got.Launches["unknown"] != 2 ||
		len(got.Ended) != 4 || got.Lost != 7 || !got.Since.Equal(time.Unix(7, 0)) {
		t.Errorf("%+v", got)
	}
	if n := strings.Count(b.log.String(), "no way"); n != 1 {
		t.Errorf("logged %d times: %s", n, b.log.String())
	}
	for range 2 {
		if err := b.Close(); err != nil || b.feed.closed != 1 {
			t.Errorf("%v, closed %d times", err, b.feed.closed)
		}
	}
	b.end(Cell{Count: 1})
	if after := b.Stats(); after.Ended["unknown"] != 0 {
		t.Errorf("counted after the end: %+v", after)
	}
}

// many ends are counted once each, however many ask for them while rules change.
func TestConcurrentUpdates(t *testing.T) {
	b := newBench(t, one, nil)
	const rounds, each = 200, 40
	for range rounds {
		b.feed.next = append(b.feed.next, Drained{Cells: []Cell{
			cell("a.service", scan.Unsandboxed, time.Hour, each), launch(cell("a.service", scan.Unsandboxed, 0, 1)),
		}})
	}
	snap := hostOf(scan.Unsandboxed)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range rounds {
				switch {
				case i == 0 && n%20 == 0:
					b.write([]string{one, two}[n/20%2])
					if err := b.o.Rules.Reload(); err != nil {
						t.Error(err)
					}
				case i == 1:
					b.Update(snap)
				default:
					b.Update(nil)
				}
				b.Stats()
				b.Recent()
			}
		})
	}
	wg.Wait()
	got := b.Stats()
	if got.Ended["unsandboxed"] != rounds*each || got.Launches["unsandboxed"] != rounds {
		t.Errorf("%+v", got)
	}
	want := collector.RuleRuns{Name: "one", Violating: rounds * each}
	if len(got.Rules) == 0 || got.Rules[0] != want {
		t.Errorf("%+v, want %+v", got.Rules, want)
	}
}

// Where nothing is new an update takes no memory.
func TestUpdateAllocatesNothing(t *testing.T) {
	b := newBench(t, two, nil)
	snap := hostOf(scan.Unsandboxed)
	b.end(cell("a.service", scan.Unsandboxed, time.Hour, 3))
	b.Update(snap)
	if n := testing.AllocsPerRun(100, func() { b.Update(snap); b.Update(nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
