// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/bench/floor"
	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
)

var sizesFlag = flag.String("bench.sizes", "100,1000,10000,100000", "tasks of each population, ascending")

// kinds are what populations are made of (program/population.c).
var kinds = []string{"unsandboxed", "sandboxed", "mix", "threads"}

// The names of subjects in records.
const (
	landlockd       = "landlockd"
	landlockdMoved  = "landlockd, after a change"
	landlockdFirst  = "landlockd, started first"
	nodeExporter    = "node_exporter"
	processExporter = "process-exporter"
	emptyFloor      = "empty"
	bareFloor       = "bare"
	referenceFloor  = "reference"
	scanProgram     = "scan"
)

// peersAtMost is beside how many tasks the peers are measured with every kind of population;
// beside more, with a mix alone: one scrape of process-exporter takes minutes there.
const peersAtMost = 10_000

// BenchmarkScrape measures whole scrapes of landlockd, of programs that answer some of its
// questions, and of task iterators that do less, side by side.
func BenchmarkScrape(b *testing.B) {
	testenv.NeedRoot(b)
	sizes, err := parseSizes(*sizesFlag)
	if err != nil {
		b.Fatal(err)
	}
	dir := testenv.PublicDir(b)
	buildLandlockd(b, dir)
	buildC(b, dir, "population")
	f := openFloors(b)
	part := &record.Part{
		Title: "Whole scrapes",
		Method: "Processor time, user and system, of all processes of each program, for a scrape by HTTP without " +
			"compression. [The method](../test/bench/README.md).",
	}
	populations := []population{{}}
	for _, n := range sizes {
		for _, kind := range kinds {
			populations = append(populations, population{n, kind})
		}
	}
	for _, p := range populations {
		fmt.Fprintf(os.Stderr, "==> %s: scrapes beside %s tasks\n", time.Now().Format(time.TimeOnly), p)
		if err := f.beside(b, dir, p, part); err != nil {
			b.Fatalf("beside %s: %v", p, err)
		}
	}
	part.Budgets = append(part.Budgets, scrapeBudgets(b, part, sizes)...)
	part.Picture = growth(part, sizes)
	keep(b, "scrape", part)
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("sizes of populations: %q is none", field)
		}
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	return slices.Compact(sizes), nil
}

// floors are what landlockd is measured against that is no program of its own.
type floors struct {
	*floor.Floors
	// scan is landlockd's own program, in a source of this process.
	source *taskiter.Source
	scan   floor.Iterator
	// tasks is how many are there for certain: those of the population, or this one.
	tasks int
}

// settleTries is how often the source scans until one scan reads nothing again.
const settleTries = 50

// settle has the source scan until it needed one pass alone. What a scan read again is what the
// program goes on to return, and nothing else: read by itself it would then seem to cost nothing.
// It also makes the source know the executables of who came since.
func (f *floors) settle() error {
	for range settleTries {
		snap, err := f.source.Scan(context.Background())
		if err != nil {
			return err
		}
		if snap.Passes == 1 {
			return nil
		}
	}
	return fmt.Errorf("%d scans all read something again: too much changes here", settleTries)
}

// settled is a turn of its own, so that what it leaves in caches is there for all alike.
func (f *floors) settled() *subject {
	return &subject{
		name:   "settle",
		scrape: func() (answer, error) { return answer{}, f.settle() },
		cpu:    func() (time.Duration, error) { return 0, nil },
	}
}

// leastRecord is less than the bytes of a task's record.
const leastRecord = 64

// whole is the program scan, which fails if it passed over tasks.
func (f *floors) whole() *subject {
	s := iteration(scanProgram, f.scan.Link.FD())
	scrape := s.scrape
	s.scrape = func() (answer, error) {
		a, err := scrape()
		if err == nil && a.bytes < f.tasks*leastRecord {
			err = fmt.Errorf("%d bytes of %d tasks: it passed over some", a.bytes, f.tasks)
		}
		return a, err
	}
	return s
}

func openFloors(b *testing.B) *floors {
	b.Helper()
	source, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { source.Close() })
	f := &floors{source: source}
	if f.Floors, err = floor.Open(source.CredentialsOffset(), cgroupfs.Find("/proc", "/sys/fs/cgroup").V1.ID); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(f.Close)
	if f.scan, err = scanOf(source); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.scan.Link.Close(); f.scan.Program.Close() })
	return f
}

// scanOf returns the program that a source scans with.
func scanOf(source *taskiter.Source) (i floor.Iterator, err error) {
	_, files, err := source.Handoff()
	if err != nil {
		return i, err
	}
	fd, err := unix.FcntlInt(files[0].Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return i, err
	}
	l, err := link.NewFromFD(fd)
	if err != nil {
		return i, fmt.Errorf("the link of scan: %w", err)
	}
	info, err := l.Info()
	if err != nil {
		return i, fmt.Errorf("the link of scan: %w", err)
	}
	i.Link = l.(*link.Iter)
	if i.Program, err = ebpf.NewProgramFromID(info.Program); err != nil {
		return i, fmt.Errorf("the program scan: %w", err)
	}
	return i, nil
}

// beside measures all subjects beside one population, and adds what came of it to a part.
func (f *floors) beside(b *testing.B, dir string, p population, part *record.Part) error {
	f.tasks = max(p.tasks, 1)
	early := startLandlockd(b, dir, "--scan.min-interval=0")
	defer early.stop()
	end := p.start(b, filepath.Join(dir, "population"))
	defer end()
	late := startLandlockd(b, dir, "--scan.min-interval=0")
	defer late.stop()
	// What is done once for each process is not what a scrape costs.
	for range 3 {
		_, failed := late.scrape()
		if err := errors.Join(f.settle(), failed); err != nil {
			return err
		}
	}
	subjects := []*subject{
		late.subject(landlockd),
		iteration(emptyFloor, f.Empty.Link.FD()),
		iteration(bareFloor, f.Bare.Link.FD()),
		iteration(referenceFloor, f.Reference.Link.FD()),
		f.whole(),
		f.settled(),
	}
	var peers []*server
	if p.tasks <= peersAtMost || p.kind == "mix" {
		node, process := startNodeExporter(b), startProcessExporter(b, dir)
		defer node.stop()
		defer process.stop()
		peers = []*server{node, process}
		subjects = append(subjects, node.subject(nodeExporter), process.subject(processExporter))
	}
	all, err := measure(effortBeside(p), subjects...)
	if err != nil {
		return err
	}
	moved, err := f.moved(late, p)
	if err != nil {
		return err
	}
	all = append(all, moved)
	if err := saw(late, p); err != nil {
		return err
	}
	for _, m := range all {
		if m.name != "settle" {
			part.Figures = append(part.Figures, m.figures(p)...)
		}
	}
	programs, err := f.programs(p)
	if err != nil {
		return err
	}
	part.Figures = append(part.Figures, programs...)
	for _, s := range peers {
		s.stop() // what follows is of landlockd alone
	}
	if err := memory(part, p, early, late); err != nil {
		return err
	}
	if p.tasks == pairTasks && p.kind == "mix" {
		early.stop()
		late.stop()
		return pair(b, dir, p, part)
	}
	return nil
}

// moved measures scrapes between any two of which a process came and another went, in rounds of
// their own: whoever scans next sees that, too.
func (f *floors) moved(s *server, p population) (*measured, error) {
	last := exec.Command("true")
	end := func() {
		_ = last.Process.Kill() // it sleeps, or has ended
		_ = last.Wait()
	}
	if err := last.Start(); err != nil {
		return nil, err
	}
	defer func() { end() }()
	subject := s.subject(landlockdMoved)
	subject.scrape = func() (a answer, err error) {
		end()
		last = exec.Command("sleep", "1h")
		last.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // of the thread that measures
		if err := last.Start(); err != nil {
			return a, err
		}
		return s.scrape()
	}
	all, err := measure(effortBeside(p), subject, iteration(referenceFloor, f.Reference.Link.FD()), f.whole())
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// effortBeside keeps the whole below a quarter of an hour.
func effortBeside(p population) effort {
	switch {
	case p.tasks <= 1000:
		return effort{rounds: 120, patience: 6 * time.Second, atLeast: 5}
	case p.tasks <= peersAtMost:
		return effort{rounds: 120, patience: 6 * time.Second, atLeast: 2}
	default:
		return effort{rounds: 40, patience: 5 * time.Second, atLeast: 1}
	}
}

// programRounds is how often the programs alone are measured.
const programRounds = 11

// startNodeExporter starts Debian's node_exporter with the collector that looks at processes.
func startNodeExporter(b *testing.B) *server {
	return serve(b, testenv.NeedTool(b, "prometheus-node-exporter"), "--collector.disable-defaults",
		"--collector.processes", "--log.level=error", "--web.listen-address=")
}

// startProcessExporter starts Debian's process-exporter, with the example that it has for all
// processes.
func startProcessExporter(b *testing.B, dir string) *server {
	config := filepath.Join(dir, "process-exporter.yml")
	const all = "process_names:\n  - name: \"{{.Comm}}\"\n    cmdline:\n    - '.+'\n"
	if err := os.WriteFile(config, []byte(all), 0o644); err != nil {
		b.Fatal(err)
	}
	return serve(b, testenv.NeedTool(b, "prometheus-process-exporter"), "-config.path="+config, "-web.listen-address=")
}

// programs measures by the kernel's own statistics what the programs take for one task. To read
// its clock twice for each is a part of that: what the empty one takes.
func (f *floors) programs(p population) ([]record.Figure, error) {
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return nil, fmt.Errorf("statistics of programs: %w", err)
	}
	defer stats.Close()
	names := []string{emptyFloor, bareFloor, referenceFloor, scanProgram}
	iterators := []floor.Iterator{f.Empty, f.Bare, f.Reference, f.scan}
	took := make([][]float64, len(names))
	for range programRounds {
		if err := f.settle(); err != nil {
			return nil, err
		}
		for i, it := range iterators {
			one, bytes, err := perCall(it)
			if err == nil && names[i] == scanProgram && bytes < f.tasks*leastRecord {
				err = fmt.Errorf("%d bytes of %d tasks: it passed over some", bytes, f.tasks)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", names[i], err)
			}
			took[i] = append(took[i], one)
		}
	}
	var figures []record.Figure
	for i, name := range names {
		figures = append(figures, record.Figure{
			Subject: name, Population: p.String(), Tasks: p.tasks, Quantity: program, Unit: "ns", Spread: record.Spreads(took[i]),
		})
	}
	return figures, nil
}

// perCall reads an iterator, and returns the nanoseconds of a call and what came of all.
func perCall(i floor.Iterator) (ns float64, bytes int, err error) {
	before, err := i.Program.Stats()
	if err != nil {
		return 0, 0, err
	}
	a, err := iteration("", i.Link.FD()).scrape()
	if err != nil {
		return 0, 0, err
	}
	after, err := i.Program.Stats()
	if err != nil {
		return 0, 0, err
	}
	if after.RunCount == before.RunCount {
		return 0, 0, errors.New("it was not called")
	}
	return float64(after.Runtime-before.Runtime) / float64(after.RunCount-before.RunCount), a.bytes, nil
}

// saw fails if landlockd did not see the whole population: a scrape that failed is cheap.
func saw(s *server, p population) error {
	page, err := s.page()
	if err != nil {
		return err
	}
	success, err := valueOf(page, "landlockd_scan_success")
	tasks, failed := valueOf(page, "landlockd_scan_tasks")
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	if success != 1 || tasks < float64(p.tasks) {
		return fmt.Errorf("landlockd saw %.0f tasks, success %.0f", tasks, success)
	}
	return nil
}

const (
	// restScrapes is after how many scrapes between which nothing changes a daemon is at rest:
	// beside many tasks memory goes back each 64.
	restScrapes = 70
	// restSamples is how often its memory is read then, behind a scrape each.
	restSamples = 20
)

// memory adds what daemons hold: the later one when processes came and went, and at rest, as one
// that was there before the population.
func memory(part *record.Part, p population, early, late *server) error {
	add := func(name string, d *server, samples int) error {
		// The first is the one that serves; the other finds what assets are.
		for i, quantity := range []string{resident, besideIt} {
			if i >= len(d.pids) {
				return fmt.Errorf("landlockd has %d processes, expected 2", len(d.pids))
			}
			var held []float64
			for n := range samples {
				if n > 0 {
					if _, err := d.scrape(); err != nil {
						return err
					}
				}
				mb, err := residentMemory(d.pids[i])
				if err != nil {
					return err
				}
				held = append(held, mb)
			}
			part.Figures = append(part.Figures, record.Figure{
				Subject: name, Population: p.String(), Tasks: p.tasks, Quantity: quantity, Unit: "MB",
				Spread: record.Spreads(held),
			})
		}
		return nil
	}
	if err := add(landlockdMoved, late, 1); err != nil {
		return err
	}
	for _, d := range []struct {
		name string
		*server
	}{{landlockd, late}, {landlockdFirst, early}} {
		for range restScrapes {
			if _, err := d.scrape(); err != nil {
				return err
			}
		}
		if err := add(d.name, d.server, restSamples); err != nil {
			return err
		}
	}
	return nil
}

const (
	pairTasks  = 10_000
	pairRounds = 40 // they vary by half, as all is cold after a second
)

// pair measures two scrapes at once, as by two Prometheus servers, against one, of a daemon
// whose flags are all as they come: each is later than --scan.min-interval.
func pair(b *testing.B, dir string, p population, part *record.Part) error {
	s := startLandlockd(b, dir)
	defer s.stop()
	alone := &subject{name: landlockd + ", one", cpu: s.cpu, scrape: s.scrape}
	both := &subject{name: landlockd + ", two", cpu: s.cpu, scrape: func() (answer, error) {
		var wg sync.WaitGroup
		var a answer
		var first, second error
		wg.Go(func() { a, first = s.scrape() })
		wg.Go(func() { _, second = s.scrape() })
		wg.Wait()
		return a, errors.Join(first, second)
	}}
	for _, one := range []*subject{alone, both} {
		scrape := one.scrape
		one.scrape = func() (answer, error) {
			time.Sleep(1100 * time.Millisecond)
			return scrape()
		}
	}
	all, err := measure(effort{rounds: pairRounds, patience: time.Hour}, alone, both)
	if err != nil {
		return err
	}
	for _, m := range all {
		part.Figures = append(part.Figures, record.Figure{
			Subject: m.name, Population: p.String(), Tasks: p.tasks, Quantity: cpuTime, Unit: "ms", Spread: record.Spreads(m.cpuSamples()),
		})
	}
	return nil
}
