// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestTextfile goes the way of hosts where nothing more may listen: landlockd
// writes a file, a real node_exporter serves it, Prometheus scrapes that, and the
// rules find it.
func TestTextfile(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t) // landlockd scans this host
	dir := t.TempDir()
	file := filepath.Join(dir, "landlockd.prom")
	landlockd := filepath.Join(t.TempDir(), "landlockd")
	if out, ok := run(t, "go", "build", "-o", landlockd, "github.com/landlockd/landlockd/cmd/landlockd"); !ok {
		t.Fatal(out)
	}
	if out, err := exec.Command(landlockd, "once", "--textfile="+file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	written := samplesOf(t, f)
	if written["landlockd_scan_success"] != 1 || written[`landlock_processes{state="unsandboxed"}`] == 0 {
		t.Fatalf("%d samples, or the scan failed", len(written))
	}

	exporter := testenv.FreeAddress(t)
	startDaemon(t, "http://"+exporter+"/metrics", "prometheus-node-exporter", "--web.listen-address="+exporter,
		"--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory="+dir)
	resp, err := http.Get("http://" + exporter + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	served := samplesOf(t, resp.Body)
	for series, v := range written {
		if got, ok := served[series]; !ok || got != v {
			t.Errorf("node_exporter serves %s as %v (there: %v), want %v", series, got, ok, v)
		}
	}
	if served["node_textfile_scrape_error"] != 0 {
		t.Error("node_exporter has an error with the file")
	}

	p := startPrometheus(t, map[string]any{
		"global":     often(),
		"rule_files": []string{absolute(t, "rules.yml"), absolute(t, "alerts.yml")},
		"scrape_configs": []any{map[string]any{"job_name": "node", "static_configs": []any{
			map[string]any{"targets": []string{exporter}, "labels": map[string]string{"cluster": "devices"}},
		}}},
	})
	processes := map[string]float64{}
	for _, state := range []string{"sandboxed", "partial", "unsandboxed", "unknown"} {
		processes["state="+state] = written[`landlock_processes{state="`+state+`"}`]
	}
	settle(t, p, []check{
		{"processes", `cluster:landlock_processes:sum{cluster="devices"}`, true, processes},
		{"hosts", `cluster:landlockd_hosts:count{cluster="devices"}`, true, map[string]float64{"": 1}},
		{"hosts without landlockd", `cluster:landlockd_hosts_missing:count{cluster="devices"}`, true, map[string]float64{"": 0}},
		{"age of the file", `time() - landlockd_last_scan_timestamp_seconds < bool 600`, true, map[string]float64{"": 1}},
	}, patience)
}

// samplesOf reads gauges, as name{labels}; there may be counters, but not in what
// one run of landlockd writes.
func samplesOf(t *testing.T, r io.Reader) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for name, f := range familiesOf(t, r) {
		for _, m := range f.Metric {
			if m.Counter != nil && strings.HasPrefix(name, "landlock") {
				t.Errorf("%s is a counter", name)
			}
			set := model.LabelSet{}
			for _, l := range m.Label {
				set[model.LabelName(l.GetName())] = model.LabelValue(l.GetValue())
			}
			key := name
			if len(set) > 0 {
				key += set.String()
			}
			out[key] = m.GetGauge().GetValue() + m.GetUntyped().GetValue()
		}
	}
	return out
}

// familiesOf returns the metrics of a page by name.
func familiesOf(t *testing.T, r io.Reader) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		t.Fatal(err)
	}
	return families
}
