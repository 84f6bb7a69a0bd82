// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/scan"
)

// noBTF is why no scan of a Failing host succeeds.
type noBTF struct{}

func (noBTF) Error() string         { return "the kernel has no type information" }
func (noBTF) FailureReason() string { return "no_btf" }

// source is a scan.Source that finds what the host was made of.
type source struct {
	host  *Host
	scans atomic.Uint64
}

func (s *source) Scan(context.Context) (*scan.Snapshot, error) {
	n := s.scans.Add(1)
	switch {
	case s.host.Kind == Failing,
		s.host.Kind == Flaky && n%4 == 0,
		s.host.Kind == Rebooting && n%9 == 0:
		return nil, noBTF{}
	}
	return s.host.snapshot(time.Now()), nil
}

func (s *source) Close() error { return nil }

// Path is where a server has the host's metrics.
func (h *Host) Path() string { return "/hosts/" + h.Name + "/metrics" }

// Server serves the metrics of a fleet.
type Server struct {
	mux    *http.ServeMux
	shared []*scan.Shared
}

// NewServer returns a server of hosts, each of which scans at most once in minInterval.
func NewServer(hosts []*Host, minInterval time.Duration) (*Server, error) {
	s := &Server{mux: http.NewServeMux()}
	began := time.Now()
	for _, h := range hosts {
		shared := scan.NewShared(&source{host: h}, scan.SharedOptions{MinInterval: minInterval, Reasons: []string{"no_btf"}})
		s.shared = append(s.shared, shared)
		handler, err := h.handler(shared, began)
		if err != nil {
			return nil, fmt.Errorf("fleet: serve %s: %w", h.Name, err)
		}
		s.mux.Handle(h.Path(), h.absences(http.StripPrefix("/hosts/"+h.Name, handler)))
	}
	return s, nil
}

// ServeHTTP serves each host at its Path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends all scans.
func (s *Server) Close() {
	for _, shared := range s.shared {
		_ = shared.Close()
	}
}

// handler is a landlockd's, over what the host was made of.
func (h *Host) handler(shared *scan.Shared, began time.Time) (http.Handler, error) {
	reason := ""
	if h.Kind == Failing {
		reason = noBTF{}.FailureReason()
	}
	result := h.result()
	return web.New(web.Options{
		Scans:                  shared,
		DisableExporterMetrics: true, // they would be those of this process, for every host
		Sources:                func() map[string]string { return map[string]string{"taskiter": reason} },
		Confined:               map[string]bool{"landlock": h.Kind != Disabled, "no_new_privs": true},
		Build:                  collector.Build{Version: "1.0.0", Revision: "0123abcd", GoVersion: "go1.26"},
		Views: []func(*scan.Snapshot) prometheus.Collector{
			func(snap *scan.Snapshot) prometheus.Collector {
				return collector.NewWorkloads(snap, collector.WorkloadOptions{Limit: 100, HasRule: hasRule})
			},
			func(*scan.Snapshot) prometheus.Collector { return collector.NewRules(result) },
			collector.NewRestricted, collector.NewHardening,
			func(*scan.Snapshot) prometheus.Collector { return collector.NewDenials(h.denials(time.Since(began))) },
		},
		Config: func() prometheus.Collector {
			return collector.NewConfig(collector.ConfigState{Loaded: result.Loaded, Applied: result.Applied, Hash: 1, Reloaded: true, Since: began})
		},
	})
}

// denials are those of a host that has been up for so long: ten a second of
// each workload that a rule is about, all of one kind.
func (h *Host) denials(up time.Duration) denials.Stats {
	s := denials.Stats{TotalKnown: true, Fed: true, ByWorkload: map[string]uint64{}}
	for _, u := range h.Units {
		if hasRule(u.Name) {
			n := uint64(up.Milliseconds() / 100)
			s.ByWorkload[u.Name] = n
			s.ByBlocker[0] += n
			s.Total += n
		}
	}
	return s
}

// absences lets a host that is down answer nothing.
func (h *Host) absences(next http.Handler) http.Handler {
	var scrapes atomic.Uint64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := scrapes.Add(1)
		switch {
		case h.Kind == Down:
			panic(http.ErrAbortHandler) // closes the connection without an answer
		case h.Kind == Rebooting && n%10 == 0:
			// A client would repeat at once a request that nobody answered.
			http.Error(w, "rebooting", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}
