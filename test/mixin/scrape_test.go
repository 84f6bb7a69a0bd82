// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestScrape: Prometheus scrapes a landlockd that looks at this host, in the form that it prefers
// itself, and has all that landlockd serves as text, with its help and type.
func TestScrape(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t) // landlockd scans this host
	dir := testenv.PublicDir(t)
	landlockd := filepath.Join(dir, "landlockd")
	if out, ok := run(t, "go", "build", "-o", landlockd, "github.com/landlockd/landlockd/cmd/landlockd"); !ok {
		t.Fatal(out)
	}
	address := testenv.FreeAddress(t)
	startDaemon(t, "http://"+address+"/-/ready", landlockd, "--web.listen-address="+address,
		"--api.socket="+filepath.Join(dir, "s"), "--confine=best-effort")
	p := startPrometheus(t, map[string]any{
		"global": often(),
		"scrape_configs": []any{map[string]any{"job_name": "landlockd", "static_configs": []any{
			map[string]any{"targets": []string{address}},
		}}},
	})
	settle(t, p, []check{
		{"scraped", `sum(up{job="landlockd"})`, true, map[string]float64{"": 1}},
		{"scanned", `sum(landlockd_scan_success)`, true, map[string]float64{"": 1}},
	}, patience)

	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	names := familiesOf(t, resp.Body)
	stored, err := p.query(`count by (__name__) ({job="landlockd"})`, true)
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, s := range stored {
		has[string(s.Metric[model.MetricNameLabel])] = true
	}
	if len(names) < 30 {
		t.Errorf("landlockd serves %d names", len(names))
	}
	for name := range names {
		if !has[name] {
			t.Errorf("Prometheus has no %s", name)
		}
	}
	var metadata map[string][]struct{ Type, Help string }
	if err := p.get("metadata", nil, &metadata); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{
		"landlock_processes": "gauge", "landlockd_scan_errors_total": "counter",
	} {
		// In OpenMetrics the name of a counter ends before _total.
		m, total := metadata[strings.TrimSuffix(name, "_total")], metadata[name]
		if len(m) == 0 {
			m = total
		}
		if len(m) != 1 || m[0].Type != kind || m[0].Help == "" {
			t.Errorf("Prometheus knows of %s: %+v, want a %s with help", name, m, kind)
		}
	}
}
