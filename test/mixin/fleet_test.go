// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/fleet"
)

// missing is how many hosts of each fleet have no landlockd.
const missing = 2

// served is a simulated fleet, and how Prometheus finds it.
type served struct {
	*fleet.Server
	url           string
	scrapeConfigs []any

	mu      sync.Mutex
	scrapes map[string][]time.Time // by path
}

// note remembers when a path was asked for.
func (s *served) note(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scrapes[path] = append(s.scrapes[path], time.Now())
}

// scrapesOf is how often a host was asked for between two times.
func (s *served) scrapesOf(h *fleet.Host, from, to time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.scrapes[h.Path()] {
		if !at.Before(from) && !at.After(to) {
			n++
		}
	}
	return n
}

// serveFleet serves hosts. Beside landlockd each host has something that stands
// for node_exporter, and so have two hosts in cluster eu without landlockd.
func serveFleet(t *testing.T, hosts []*fleet.Host) *served {
	t.Helper()
	server, err := fleet.NewServer(hosts, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := &served{Server: server, scrapes: map[string][]time.Time{}}
	mux.HandleFunc("/hosts/", func(w http.ResponseWriter, r *http.Request) {
		s.note(r.URL.Path)
		server.ServeHTTP(w, r)
	})
	mux.HandleFunc("/node", func(http.ResponseWriter, *http.Request) {})
	srv := httptest.NewServer(mux)
	t.Cleanup(func() { srv.Close(); server.Close() })

	var landlockd, node []any
	add := func(name, cluster, path string, port string, to *[]any) {
		*to = append(*to, map[string]any{
			"targets": []string{strings.TrimPrefix(srv.URL, "http://")},
			"labels":  map[string]string{"instance": name + port, "cluster": cluster, "__metrics_path__": path},
		})
	}
	for _, h := range hosts {
		add(h.Name, h.Cluster, h.Path(), ":10644", &landlockd)
		add(h.Name, h.Cluster, "/node", ":9100", &node)
	}
	for _, name := range []string{"bare1", "bare2"} {
		add(name, "eu", "/node", ":9100", &node)
	}
	s.url, s.scrapeConfigs = srv.URL, []any{
		map[string]any{"job_name": "landlockd", "static_configs": landlockd}, map[string]any{"job_name": "node", "static_configs": node},
	}
	return s
}

// startFleet serves hosts to a Prometheus with our rules, which scrapes and
// evaluates once in an interval.
func startFleet(t *testing.T, hosts []*fleet.Host, interval string, args ...string) (*prometheus, *served) {
	t.Helper()
	s := serveFleet(t, hosts)
	return startPrometheus(t, map[string]any{
		"global":         map[string]string{"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
		"rule_files":     []string{absolute(t, "rules.yml"), absolute(t, "alerts.yml")},
		"scrape_configs": s.scrapeConfigs,
	}, args...), s
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(rendered, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
