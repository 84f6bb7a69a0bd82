// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/fleet.md's table of costs anew")

const (
	measuredFile = "testdata/fleet.json" // see FLEET_RECORD in the Makefile
	fleetPage    = "../../docs/fleet.md"
)

// What docs/fleet.md extrapolates to.
const (
	someHosts    = 5000
	manyHosts    = 100_000
	scrapeEvery  = 60.0       // seconds, for evaluations too
	retention    = 15 * 86400 // seconds, Prometheus' default
	serverMemory = 64 << 30   // of which half is for what is always there
	worstHosts   = 50         // of each server that have two series more, as the mixin's configuration says
	// documented is the upper end of what Prometheus says of its own blocks:
	// https://prometheus.io/docs/prometheus/latest/storage/
	documented = 2.0 // bytes a sample
)

// cost is what a fleet costs, worked out from what one run measured: all of it is
// proportional to hosts.
type cost struct {
	m      measured
	hosts  float64
	series float64
	// rate is samples a second.
	rate float64
	// slowest is the group of rules that takes longest.
	slowest string
}

func costOf(m measured, hosts float64) cost {
	c := cost{m: m, hosts: hosts, series: hosts * m.HeadSeries / float64(m.Hosts)}
	c.rate = c.series / scrapeEvery
	for name, s := range m.Groups {
		if s > m.Groups[c.slowest] || s == m.Groups[c.slowest] && name < c.slowest {
			c.slowest = name
		}
	}
	return c
}

func (c cost) bytesPerSeries() float64 { return c.m.Resident / c.m.HeadSeries }

// bytesPerSample is of a block of two hours, the smallest there is: a series has
// one entry in its index, and as many samples as were scraped.
func (c cost) bytesPerSample() float64 {
	b := c.m.Block
	return b.Chunks/b.Samples + b.Index/b.Series/(2*3600/scrapeEvery)
}

// cores is how many processors are busy, as with the samples of the run.
func (c cost) cores() float64 { return c.rate * c.m.CPU / c.m.Appended }

// evaluation is how long the slowest group takes, in seconds.
func (c cost) evaluation() float64 { return c.m.Groups[c.slowest] * c.hosts / float64(c.m.Hosts) }

// hostsPerServer is for how many hosts one Prometheus suffices: half of its memory
// holds their series, and the slowest group takes half of the interval.
func (c cost) hostsPerServer() float64 {
	byMemory := serverMemory / 2 / (c.bytesPerSeries() * c.series / c.hosts)
	byRules := scrapeEvery / 2 / (c.evaluation() / c.hosts)
	return math.Floor(min(byMemory, byRules)/1000) * 1000
}

func (c cost) servers() float64 { return math.Ceil(c.hosts / c.hostsPerServer()) }

// table is the part of docs/fleet.md that is worked out, for as many hosts as each cost is of.
func table(some, many cost) string {
	m := many.m
	var b strings.Builder
	row := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	row("measured", fmt.Sprintf("with %s hosts, every %.0f s", number(float64(m.Hosts)), m.Interval))
	row("---", "---")
	row("series of a host that scans", number(m.SeriesPerHost))
	row("series in Prometheus "+m.Prometheus+", recorded ones included", number(m.HeadSeries))
	row("its resident memory", size(m.Resident)+", "+size(many.bytesPerSeries())+" a series")
	row("its processor time", fmt.Sprintf("%.0f µs for each sample, with all rules and queries", 1e6*m.CPU/m.Appended))
	row("a block of the run", fmt.Sprintf("%.2f bytes a sample, and %.0f bytes a series for the index", m.Block.Chunks/m.Block.Samples, m.Block.Index/m.Block.Series))
	row("one scrape's answer", size(m.Plain)+", "+size(m.Gzip)+" as Prometheus asks for it (gzip)")
	row("slowest group of rules", fmt.Sprintf("`%s`, %.1f s", many.slowest, m.Groups[many.slowest]))
	row("slowest panel", fmt.Sprintf("%.0f ms", m.SlowestPanel*1000))
	row("recorded series for each cluster", number(m.Recorded))
	b.WriteString("\n")
	row(fmt.Sprintf("worked out, every %.0f s", scrapeEvery), "for "+number(some.hosts)+" hosts", "for "+number(many.hosts), "how")
	row("---", "---", "---", "---")
	worked := func(what string, of func(cost) string, how string) { row(what, of(some), of(many), how) }
	worked("series", func(c cost) string { return number(c.series) }, "series in Prometheus / hosts × hosts")
	worked("samples", func(c cost) string { return number(c.rate) + " a second" }, fmt.Sprintf("series / %.0f s", scrapeEvery))
	worked("memory", func(c cost) string { return size(c.series * c.bytesPerSeries()) }, "series × memory of a series")
	worked("processors", func(c cost) string { return fmt.Sprintf("%.0f", math.Ceil(c.cores())) }, "samples a second × processor time of a sample")
	worked("disk", func(c cost) string {
		return size(c.rate*retention*c.bytesPerSample()) + "; by Prometheus' documentation " + size(c.rate*retention*documented)
	}, fmt.Sprintf("samples a second × %.0f days × %.2f bytes a sample, with the index of a block of two hours; × 2 bytes", retention/86400.0, many.bytesPerSample()))
	worked("network", func(c cost) string { return size(c.hosts/scrapeEvery*m.Gzip) + " a second" }, fmt.Sprintf("hosts / %.0f s × gzipped answer", scrapeEvery))
	worked("evaluation of the slowest group, if one Prometheus had all hosts",
		func(c cost) string { return fmt.Sprintf("%.0f s", c.evaluation()) }, "seconds / hosts × hosts")
	worked("hosts that one Prometheus suffices for", func(c cost) string { return number(c.hostsPerServer()) },
		fmt.Sprintf("so many that their series are in half of %s, and the slowest group takes half of %.0f s", size(serverMemory), scrapeEvery))
	worked("Prometheus servers", func(c cost) string { return number(c.servers()) }, "hosts / hosts of one")
	worked("series in the centre", func(c cost) string { return number(c.servers()*(m.Recorded+2*worstHosts) + 2*c.hosts) },
		fmt.Sprintf("servers × recorded series, two for each host, and two more for the %d of each server that violate most rules", worstHosts))
	return b.String()
}

// number is a number with two significant digits or all before the point if those
// are less than four, as in 4.6 million.
func number(v float64) string {
	switch {
	case v >= 999_500:
		return fmt.Sprintf("%.3g million", v/1e6)
	case v >= 10_000:
		return fmt.Sprintf("%.0f 000", v/1000)
	case v >= 1000 && math.Mod(v, 1000) == 0:
		return fmt.Sprintf("%.0f 000", v/1000)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}

func size(bytes float64) string {
	for _, u := range []struct {
		name string
		of   float64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if bytes >= u.of {
			return fmt.Sprintf("%.3g %s", bytes/u.of, u.name)
		}
	}
	return fmt.Sprintf("%.0f bytes", bytes)
}

// TestCosts: what docs/fleet.md says of cost follows from what a run measured.
func TestCosts(t *testing.T) {
	const begin, end = "<!-- Worked out by test/mixin/cost_test.go. Do not edit. -->\n", "<!-- End. -->\n"
	b, err := os.ReadFile(measuredFile)
	if err != nil {
		t.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.Hosts < 1000 || m.Seconds < 600 {
		t.Errorf("%s is of %d hosts and %.0f s, want 1000 and 600 or more", measuredFile, m.Hosts, m.Seconds)
	}
	text, err := os.ReadFile(fleetPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	old, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no %q to %q", fleetPage, begin, end)
	}
	if rules, err := os.ReadFile(rendered + "/rules.yml"); err != nil || !strings.Contains(string(rules), fmt.Sprintf(" (%d, count by ", worstHosts)) {
		t.Errorf("it is not of %d hosts that rules record how much they violate (%v)", worstHosts, err)
	}
	table := table(costOf(m, someHosts), costOf(m, manyHosts))
	switch {
	case old == table:
	case *update:
		if err := os.WriteFile(fleetPage, []byte(head+begin+table+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s: want this (go generate ./test/mixin):\n%s", fleetPage, table)
	}
}

// TestCostFollows: costs follow from what was measured: twice the hosts, twice all
// of it.
func TestCostFollows(t *testing.T) {
	m := measured{
		Hosts: 1000, HeadSeries: 250_000, Resident: 1e9, CPU: 50, Appended: 1e6,
		Block: block{Series: 1000, Samples: 20_000, Chunks: 30_000, Index: 60_000}, Plain: 20_000, Gzip: 3000,
		Groups: map[string]float64{"a": 1, "b": 4}, Recorded: 800,
	}
	c := costOf(m, 100_000)
	for what, v := range map[string][2]float64{
		"series": {c.series, 25e6}, "samples": {c.rate, 25e6 / 60}, "evaluation": {c.evaluation(), 400},
		// 1.5 of chunks, and 60 for a series with 120 samples.
		"bytes a sample": {c.bytesPerSample(), 2}, "processors": {c.cores(), 25e6 / 60 * 50e-6},
		// 4 ms of rules a host: 7 500 in half a minute. 1 MB a host: 34 359 in 32 GiB.
		"hosts of a server": {c.hostsPerServer(), 7000}, "servers": {c.servers(), 15},
	} {
		if !near(v[0], v[1]) {
			t.Errorf("%s: %v, want %v", what, v[0], v[1])
		}
	}
	m.Groups["b"] = 0.1
	m.Groups["a"] = 0.2
	if n := costOf(m, 100_000).hostsPerServer(); n != 34_000 {
		t.Errorf("memory suffices for %v hosts, want 34 000", n)
	}
	for v, want := range map[float64]string{12: "12", 867: "867", 1000: "1 000", 1234: "1234", 27_500: "28 000", 999_600: "1 million", 27_512_345: "27.5 million"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) is %q, want %q", v, got, want)
		}
	}
}
