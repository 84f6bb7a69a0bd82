// SPDX-License-Identifier: Apache-2.0

package panels

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/fleet"
	"github.com/landlockd/landlockd/test/testenv"
)

// What the dashboards are opened for.
const (
	workload = "nginx.service"
	rule     = "web"
	// shown is how long the time is that they show, interval what is between two scrapes.
	shown, interval = 40 * time.Second, 2 * time.Second
	// hangs is how long a step may take: they take up to 40 s, by Perses' design, and one took 6 min
	// where two processors had a load of 28.
	hangs = 10 * time.Minute
	// again is how long after the last answer a page is opened once more that does not show all:
	// where a scrape failed in just that moment, tables are empty, and stay so.
	again = 5 * time.Second
)

// startPrometheus runs one that scrapes a fleet all the time, with our rules.
func startPrometheus(t *testing.T, hosts []*fleet.Host) (prometheus string, site *fleet.Site) {
	t.Helper()
	site, err := fleet.NewSite(hosts, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(site)
	t.Cleanup(func() { srv.Close(); site.Close() })
	rules, err := filepath.Abs("../../deploy/prometheus/rendered")
	if err != nil {
		t.Fatal(err)
	}
	every := interval.String()
	config, err := json.Marshal(object{ // which is YAML
		"global":         object{"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
		"rule_files":     []string{rules + "/rules.yml", rules + "/alerts.yml"},
		"scrape_configs": site.ScrapeConfigs(srv.Listener.Addr().String()),
	})
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err == nil {
		err = os.WriteFile(file, config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	address := testenv.FreeAddress(t)
	cmd := exec.Command(testenv.NeedTool(t, "prometheus"), "--config.file="+file, "--storage.tsdb.path="+dir+"/data",
		"--web.listen-address="+address, "--log.level=error")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	prometheus = "http://" + address
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(prometheus + "/-/ready"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return prometheus, site
			}
		}
		if time.Since(began) > hangs {
			t.Fatal("Prometheus does not answer")
		}
	}
}

// serve serves a page for each dashboard, and Prometheus beside them: one origin for all.
func serve(t *testing.T, prometheus string, pages map[string]object) string {
	t.Helper()
	script := renderer(t)
	to, err := url.Parse(prometheus)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/prometheus/", http.StripPrefix("/prometheus", httputil.NewSingleHostReverseProxy(to)))
	file := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }
	}
	mux.Handle("/dashboards/{name}/", file("web/index.html"))
	mux.Handle("/dashboards/{name}/main.js", file(script))
	mux.HandleFunc("/dashboards/{name}/dashboard.json", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(pages[r.PathValue("name")])
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestPanels: each panel of each dashboard draws the data of a fleet, of which some hosts lose
// Landlock on the way. A panel of each type without data is seen to have none.
func TestPanels(t *testing.T) {
	hosts := fleet.Generate(fleet.Options{Seed: 7, Hosts: 32, Units: 24})
	i := slices.IndexFunc(hosts, func(h *fleet.Host) bool { return h.ShowsAll(rule) })
	if i < 0 {
		t.Fatal("no host of the fleet is fit to be shown")
	}
	chosen := map[string]map[string]string{
		"fleet": nil, "host": {"instance": hosts[i].Instance()},
		"workload": {"workload": workload}, "rule": {"rule": rule},
	}
	renderer(t) // which may take minutes
	prometheus, site := startPrometheus(t, hosts)
	began := time.Now()
	all := readDashboards(t)
	pages := map[string]object{}
	for name, d := range all {
		pages[name] = d.translated(t, chosen[name])
	}
	none := map[string]*dashboard{
		"nothing": without(all, "nothing_is_called_so"), "error": without(all, "sum("),
	}
	for name, d := range none {
		pages[name] = d.translated(t, nil)
	}
	origin := serve(t, prometheus, pages)
	tab := newTab(t)
	for name, d := range none {
		tab.drawsNone(origin+"/dashboards/"+name+"/", d)
	}
	time.Sleep(time.Until(began.Add(shown / 2)))
	if err := site.LoseLandlock(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(began.Add(shown + 3*interval))) // rules record what was scraped before
	for name, d := range all {
		if _, ok := chosen[name]; !ok {
			t.Errorf("nobody said what to open dashboard %s for", name)
		}
		tab.draw(origin+"/dashboards/"+name+"/", d)
		tab.keep(name)
	}
}
