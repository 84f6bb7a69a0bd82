// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// floodDenials is the number of denials of one flood.
const floodDenials = 1_000_000

// scrapesCost is what scrapes took, each.
type scrapesCost struct {
	n   int
	all []time.Duration // wall
	cpu time.Duration   // of the daemon, sum, with what else it did meanwhile
}

func (c *scrapesCost) median() time.Duration {
	slices.Sort(c.all)
	return c.all[len(c.all)/2]
}

// scrapeUntil scrapes ten times a second.
func scrapeUntil(b *testing.B, d *daemon, over func(n int) bool) *scrapesCost {
	c := &scrapesCost{}
	before := cpuTime(b, d.cmd.Process.Pid)
	for ; !over(c.n); c.n++ {
		began := time.Now()
		d.scrape(b)
		c.all = append(c.all, time.Since(began))
		time.Sleep(100*time.Millisecond - time.Since(began)%(100*time.Millisecond))
	}
	c.cpu = cpuTime(b, d.cmd.Process.Pid) - before
	return c
}

// BenchmarkScrapeInFlood compares scrapes during a flood of denials, reported by audit,
// with the same scrapes without: as ratios, in one run. To be run with -benchtime=1x.
func BenchmarkScrapeInFlood(b *testing.B) {
	needCounters(b)
	d := startDaemon(b, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require"}})
	pid := d.cmd.Process.Pid
	c := startProvoker(b, "fs.read_file")
	auditOn(b)
	told := func() float64 { m := d.scrape(b); return m[readFileDenials] + m["landlockd_denials_lost_total"] }
	flood := func() <-chan error {
		done := make(chan error, 1)
		go func() { done <- c.Provoke(floodDenials) }()
		return done
	}
	// A flood is over when nothing more is reported.
	calm := func() {
		for last, now := -1.0, told(); now != last; last, now = now, told() {
			time.Sleep(time.Second)
		}
	}
	for b.Loop() {
		calm()
		quiet := scrapeUntil(b, d, func(n int) bool { return n == 100 })
		before, cpu := told(), cpuTime(b, pid)
		if err := <-flood(); err != nil {
			b.Fatal(err)
		}
		alone := cpuTime(b, pid) - cpu
		calm()
		resident := residentMemory(b, pid)
		done := flood()
		during := scrapeUntil(b, d, func(int) bool { return len(done) > 0 })
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		calm()
		peak, err := strconv.Atoi(strings.TrimSuffix(statusLine(b, "/proc/"+strconv.Itoa(pid)+"/status", "VmHWM"), " kB"))
		if err != nil {
			b.Fatal(err)
		}
		each := quiet.cpu.Seconds() / float64(quiet.n)
		eachDuring := (during.cpu - alone).Seconds() / float64(during.n)
		b.Logf("%d scrapes without: %v wall (median), %.2f ms CPU; %d during: %v, %.2f ms beyond the %v for the flood itself; %.0f of %d denials told or lost; resident %d kB before, %d kB peak",
			quiet.n, quiet.median(), 1e3*each, during.n, during.median(), 1e3*eachDuring, alone, told()-before, 2*floodDenials, resident, peak)
		b.ReportMetric(during.median().Seconds()/quiet.median().Seconds(), "wall-ratio")
		b.ReportMetric(eachDuring/each, "cpu-ratio")
		b.ReportMetric(1e6*alone.Seconds()/floodDenials, "us/denial")
		b.ReportMetric(float64(peak)/float64(resident), "memory-ratio")
	}
}
