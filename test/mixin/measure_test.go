// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/test/fleet"
)

// measured is what TestFleet finds out about one Prometheus and its fleet.
type measured struct {
	Hosts int `json:"hosts"`
	// Interval is that of scrapes and evaluations, Seconds how long it all took.
	Interval float64 `json:"interval_seconds"`
	Seconds  float64 `json:"run_seconds"`
	// Prometheus is its version.
	Prometheus string `json:"prometheus"`
	// SeriesPerHost are those of a host that scans, on average; HeadSeries all
	// that Prometheus has in memory, and Recorded those of them that are
	// recorded for one cluster, on average.
	SeriesPerHost float64 `json:"series_per_host"`
	HeadSeries    float64 `json:"head_series"`
	Recorded      float64 `json:"recorded_series_per_cluster"`
	// Resident is Prometheus' memory, CPU its processor time for Appended samples.
	Resident float64 `json:"resident_bytes"`
	CPU      float64 `json:"cpu_seconds"`
	Appended float64 `json:"appended_samples"`
	// A block of all that was scraped and recorded.
	Block block `json:"block"`
	// Plain and Gzip are the bytes of one scrape's answer, on average.
	Plain float64 `json:"scrape_bytes"`
	Gzip  float64 `json:"scrape_bytes_gzip"`
	// Groups are the seconds of the last evaluation of each group of rules.
	Groups       map[string]float64 `json:"group_seconds"`
	SlowestPanel float64            `json:"slowest_panel_seconds"`
}

// block is what Prometheus writes to disk: chunks of samples, and an index of series.
type block struct {
	Series  float64 `json:"series"`
	Samples float64 `json:"samples"`
	Chunks  float64 `json:"chunk_bytes"`
	Index   float64 `json:"index_bytes"`
}

// measure fills in the rest, logs it, and writes it where it was asked to.
func measure(t *testing.T, p *prometheus, served *served, hosts []*fleet.Host, m *measured) {
	t.Helper()
	own := p.own(t)
	m.Resident, m.HeadSeries = own.sum("process_resident_memory_bytes"), own.sum("prometheus_tsdb_head_series")
	m.CPU, m.Appended = own.sum("process_cpu_seconds_total"), own.sum("prometheus_tsdb_head_samples_appended_total")
	m.SeriesPerHost = p.number(t, `avg(max_over_time(scrape_samples_scraped{job="landlockd"}[5m]) and on (instance) last_over_time(landlock_enabled[5m]))`)
	m.Recorded = p.number(t, `count({__name__=~"(cluster|workload|rule|right):.+"}) / count(count by (cluster) (cluster:landlockd_hosts:count))`)
	var build struct{ Version string }
	if err := p.get("status/buildinfo", nil, &build); err != nil {
		t.Fatal(err)
	}
	m.Prometheus = build.Version
	m.Block = p.block(t)
	n := 0.0
	for _, h := range hosts {
		if h.Kind == fleet.Steady && n < 100 {
			n++
			m.Plain += scrapeBytes(t, served.url+h.Path(), "identity")
			m.Gzip += scrapeBytes(t, served.url+h.Path(), "gzip")
		}
	}
	m.Plain, m.Gzip = m.Plain/n, m.Gzip/n
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b)
	if *fleetRecord != "" {
		if err := os.WriteFile(*fleetRecord, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// own are a Prometheus' metrics of itself.
type own map[string]float64

func (o own) sum(name string) float64 { return o[name] }

// own reads them; series of one name are added up.
func (p *prometheus) own(t *testing.T) own {
	t.Helper()
	resp, err := http.Get(p.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	sums := own{}
	for name, f := range families {
		for _, m := range f.Metric {
			sums[name] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sums
}

// number is the value of a query that returns one.
func (p *prometheus) number(t *testing.T, expr string) float64 {
	t.Helper()
	v, err := p.query(expr, true)
	if err != nil || len(v) != 1 {
		t.Fatalf("%s: %v, %v", expr, v, err)
	}
	return float64(v[0].Value)
}

// block lets Prometheus write all that it has as a block, as it does every two
// hours.
func (p *prometheus) block(t *testing.T) (b block) {
	t.Helper()
	resp, err := http.Post(p.url+"/api/v1/admin/tsdb/snapshot", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("snapshot: %s", text)
	}
	dir := filepath.Join(p.data, "snapshots/*/*")
	for _, file := range glob(t, dir+"/meta.json") {
		var meta struct {
			Stats struct{ NumSamples, NumSeries float64 }
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &meta)
		}
		if err != nil {
			t.Fatal(err)
		}
		b.Samples += meta.Stats.NumSamples
		b.Series += meta.Stats.NumSeries
	}
	b.Chunks, b.Index = sizeOf(t, dir+"/chunks/*"), sizeOf(t, dir+"/index")
	return b
}

// sizeOf is that of all files of a pattern together.
func sizeOf(t *testing.T, pattern string) (bytes float64) {
	t.Helper()
	for _, file := range glob(t, pattern) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		bytes += float64(info.Size())
	}
	return bytes
}

// scrapeBytes is the size of a scrape's answer as it goes over the network.
func scrapeBytes(t *testing.T, url, encoding string) float64 {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if got := resp.Header.Get("Content-Encoding"); err != nil || (got == "gzip") != (encoding == "gzip") || !strings.HasPrefix(fmt.Sprint(resp.StatusCode), "2") {
		t.Fatalf("%s: %s, encoding %q, %v", url, resp.Status, got, err)
	}
	return float64(n)
}
