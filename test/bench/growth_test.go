// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
)

var threadsFlag = flag.Int("bench.threads", 300_000, "threads of BenchmarkGrowth; fewer are made where memory is short")

const (
	fewThreads = 30_000
	manyRules  = 5000
	manyGroups = 10_000
	// deepProcesses is how many have 16 domains each, 200 000 in all.
	deepProcesses = 12_500
	// threadMemory is more than a thread that sleeps takes, in bytes.
	threadMemory = 64 << 10
)

// BenchmarkGrowth measures a daemon beside more of each kind than hosts have: it must refuse
// none, and what that takes must be in proportion.
func BenchmarkGrowth(b *testing.B) {
	testenv.NeedRoot(b)
	g := growing{b: b, dir: testenv.PublicDir(b), part: &record.Part{
		Title:  "More than hosts have",
		Method: "Processor time of a scrape, and resident memory behind twelve of them. The state of all tasks must be known.",
	}}
	buildLandlockd(b, g.dir)
	buildC(b, g.dir, "population")
	buildC(b, g.dir, "growth")
	const domains = "200 000 domains, 16 in each other"
	g.beside("10 000 processes", 10_000, g.usual(), population{10_000, "unsandboxed"}.start)
	g.beside("10 000 processes, 5 000 rules", 10_000, g.ruled, population{10_000, "unsandboxed"}.start)
	g.beside("10 000 cgroups", manyGroups, g.usual("--no-workload.fold"), g.growth(manyGroups, "cgroups"))
	g.beside(domains, deepProcesses, g.usual(), g.growth(deepProcesses, "deep"))
	threads := affordable(b, *threadsFlag)
	raise(b, "/proc/sys/kernel/threads-max", threads+fewThreads)
	few := fmt.Sprintf("%d threads", fewThreads)
	g.beside(few, fewThreads, g.usual(), population{fewThreads, "threads"}.start)
	many := fmt.Sprintf("%d threads", threads)
	g.beside(many, threads, g.usual(), population{threads, "threads"}.start)

	// What a scrape takes for each thread more, of those that were made, holds for all.
	at := func(n int, quantity string) float64 {
		low, high := g.of(few, quantity), g.of(many, quantity)
		return low + (high-low)*float64(n-fewThreads)/float64(threads-fewThreads)
	}
	g.part.Budgets = []record.Budget{
		{What: "scrape at 300 000 threads, to 30 000", Unit: "×", Measured: at(300_000, cpuTime) / g.of(few, cpuTime), Bound: 11},
		{What: "resident memory at 100 000 threads", Unit: "MB", Measured: at(100_000, resident), Bound: 60},
		{What: "resident memory at 200 000 domains", Unit: "MB", Bound: 134, // 128 MiB
			Measured: g.of(domains, resident)},
	}
	keep(b, "growth", g.part)
}

type growing struct {
	b    *testing.B
	dir  string
	part *record.Part
}

// of returns what was measured beside a population.
func (g *growing) of(population, quantity string) float64 {
	g.b.Helper()
	f, err := g.part.Find(landlockd, population, quantity)
	if err != nil {
		g.b.Fatal(err)
	}
	return f.Median
}

// growth returns what starts program/growth.c.
func (g *growing) growth(n int, kind string) func(*testing.B, string) func() {
	return func(b *testing.B, _ string) func() {
		b.Helper()
		args := []string{strconv.Itoa(n), kind}
		host := cgroupfs.Find("/proc", "/sys/fs/cgroup")
		for _, dir := range []string{host.V2, host.V1.Dir} {
			if dir != "" {
				args = append(args, dir)
			}
		}
		stop := sleepers(b, filepath.Join(g.dir, "growth"), args...)
		return func() { stop() }
	}
}

// beside measures a daemon beside a population of at least so many tasks.
func (g *growing) beside(name string, tasks int, daemon func() *server, start func(*testing.B, string) func()) {
	b := g.b
	b.Helper()
	end := start(b, filepath.Join(g.dir, "population"))
	defer end()
	s := daemon()
	defer s.stop()
	var times []float64
	for i := range 12 {
		before, err := s.cpu()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.scrape(); err != nil {
			b.Fatal(err)
		}
		after, err := s.cpu()
		if err != nil {
			b.Fatal(err)
		}
		if i >= 3 { // every executable's path was read
			times = append(times, (after-before).Seconds()*1000)
		}
	}
	mb, err := residentMemory(s.pids[0])
	if err != nil {
		b.Fatal(err)
	}
	g.check(s, name, tasks)
	add := func(quantity, unit string, samples []float64) {
		g.part.Figures = append(g.part.Figures, record.Figure{
			Subject: landlockd, Population: name, Tasks: tasks, Quantity: quantity, Unit: unit, Spread: record.Spreads(samples),
		})
	}
	add(cpuTime, "ms", times)
	add(resident, "MB", []float64{mb})
}

// check fails if something was refused, or left out.
func (g *growing) check(s *server, name string, tasks int) {
	b := g.b
	b.Helper()
	page, err := s.page()
	if err != nil {
		b.Fatal(err)
	}
	known := 0.0
	for _, state := range []string{"sandboxed", "unsandboxed"} {
		n, err := valueOf(page, `landlock_threads{state="`+state+`"}`)
		if err != nil { // there is none if the scan failed
			b.Fatal(err)
		}
		known += n
	}
	if known < float64(tasks) {
		b.Errorf("beside %s, the state of %.0f tasks is known, want at least %d", name, known, tasks)
	}
	least := map[string]float64{}
	if strings.Contains(name, "rules") {
		least[`landlockd_rules{status="loaded"}`] = manyRules
	}
	if strings.Contains(name, "cgroups") {
		least[`landlock_workloads{state="unsandboxed"}`] = manyGroups
	}
	if strings.Contains(name, "domains") {
		least[`landlock_threads{state="sandboxed"}`] = float64(tasks)
		least["landlock_nesting_depth_max"] = 16
	}
	for series, want := range least {
		if got, err := valueOf(page, series); err != nil || got < want {
			b.Errorf("beside %s, %s is %v (%v), want at least %v", name, series, got, err, want)
		}
	}
}

// valueOf returns a series of a page.
func valueOf(page []byte, series string) (float64, error) {
	for line := range strings.Lines(string(page)) {
		if value, is := strings.CutPrefix(line, series+" "); is {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("the page has no %s", series)
}

// usual starts landlockd as it is measured elsewhere.
func (g *growing) usual(flags ...string) func() *server {
	return func() *server {
		return startLandlockd(g.b, g.dir, append([]string{"--scan.min-interval=0"}, flags...)...)
	}
}

// ruled starts it with many rules, each of which is about some process.
func (g *growing) ruled() *server {
	g.b.Helper()
	var text strings.Builder
	text.WriteString("rules:\n")
	for i := range manyRules {
		fmt.Fprintf(&text, "  - {name: rule-%d, match: {unit: [\"bench-*-%02d.service\"]}, expect: {restricts: [fs.write_file]}}\n", i, i%100)
	}
	path := filepath.Join(g.dir, "many.yml")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		g.b.Fatal(err)
	}
	return serve(g.b, filepath.Join(g.dir, "landlockd"), "--scan.min-interval=0", "--config.file="+path,
		"--api.socket=", "--log.level=warn", "--web.listen-address=")
}

// affordable is how many of so many threads take at most half of the memory that is there.
func affordable(b *testing.B, threads int) int {
	b.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if w := strings.Fields(line); w[0] == "MemAvailable:" {
			kB, err := strconv.Atoi(w[1])
			if err != nil {
				b.Fatal(err)
			}
			most := max(kB*1024/2/threadMemory, 2*fewThreads)
			if most < threads {
				b.Logf("%d threads are made instead of %d: memory is short", most, threads)
			}
			return min(threads, most)
		}
	}
	b.Fatal("/proc/meminfo has no MemAvailable")
	return 0
}

// raise has a limit of the kernel be so much at least, and what it was again behind the
// benchmark.
func raise(b *testing.B, path string, least int) {
	b.Helper()
	was, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(was)))
	if err != nil {
		b.Fatal(err)
	}
	if n >= least {
		return
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(least)), 0o644); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.WriteFile(path, was, 0o644); err != nil {
			b.Error(err)
		}
	})
}
