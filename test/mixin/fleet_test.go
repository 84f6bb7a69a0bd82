// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/fleet"
)

// served is a simulated fleet, and how Prometheus finds it.
type served struct {
	*fleet.Site
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

// serveFleet serves hosts.
func serveFleet(t *testing.T, hosts []*fleet.Host) *served {
	t.Helper()
	site, err := fleet.NewSite(hosts, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Site: site, scrapes: map[string][]time.Time{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.note(r.URL.Path)
		site.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { srv.Close(); site.Close() })
	s.url, s.scrapeConfigs = srv.URL, site.ScrapeConfigs(srv.Listener.Addr().String())
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
