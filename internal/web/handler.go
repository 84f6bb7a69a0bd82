// SPDX-License-Identifier: Apache-2.0

// Package web is the HTTP side of the daemon: metrics, health and a landing
// page. It serves aggregates only. Whoever can reach a TCP port may read them,
// so nothing that names a process or a domain is ever served here.
package web

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/scan"
)

const (
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"
)

// Options are what a [Handler] serves. Scans and Collector must be set.
type Options struct {
	// Scans is where every scrape gets its snapshot. The handler does not close it.
	Scans *scan.Shared
	// TelemetryPath is where the metrics are, "/metrics" if empty. At "/"
	// they take the place of the landing page.
	TelemetryPath string
	// MaxRequests is the number of scrapes served at a time; those beyond
	// get 503. 0 means no limit.
	MaxRequests int
	// DisableExporterMetrics leaves out the metrics of the Go runtime and of
	// the daemon's process.
	DisableExporterMetrics bool
	// Collector returns what is exposed beside those; the snapshot is nil if its scan failed.
	// It is called once for scrapes that come together, and never concurrently.
	Collector func(*scan.Snapshot) *collector.Scrape
	// Unready is why the daemon never becomes ready, in sentences with a line feed at their
	// end; empty if it does. Whoever can reach the port may read it.
	Unready string
	// Healthy returns why the daemon is to be started anew, or nil; if it is nil itself, that
	// never is so. It is called concurrently, and waits for nothing that scrapes hold.
	Healthy func() error
	// Reload loads the configuration again; nil forbids that. It is called
	// concurrently, and logs its own errors.
	Reload func() error
	// Logger gets the scans that begin to fail, and those that succeed again; nil
	// discards that.
	Logger *slog.Logger
}

// Handler is the daemon's http.Handler. It starts as not ready.
type Handler struct {
	routes map[string]route
	phase  atomic.Uint32
	// unready is Options.Unready.
	unready string
}

// route is one page, and what may be done with it.
type route struct {
	methods []string
	serve   http.HandlerFunc
}

// read is a route that changes nothing.
func read(serve http.HandlerFunc) route {
	return route{[]string{http.MethodGet, http.MethodHead}, serve}
}

// The phases of a daemon's life, in the only order in which they follow.
const (
	starting uint32 = iota
	serving
	stopping
)

// New returns a handler. It fails if the telemetry path is no absolute path or
// another page's.
func New(o Options) (*Handler, error) {
	if o.Scans == nil || o.Collector == nil {
		return nil, fmt.Errorf("web: nothing to serve")
	}
	o.TelemetryPath = cmp.Or(o.TelemetryPath, "/metrics")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{unready: o.Unready}
	h.routes = map[string]route{
		healthyPath: read(func(w http.ResponseWriter, _ *http.Request) {
			status, text := http.StatusOK, "landlockd is healthy.\n"
			if o.Healthy != nil {
				if err := o.Healthy(); err != nil {
					status, text = http.StatusServiceUnavailable, "landlockd hangs: "+err.Error()+".\n"
				}
			}
			plain(w, status, text)
		}),
		readyPath:  read(h.serveReady),
		reloadPath: {[]string{http.MethodPost, http.MethodPut}, newReload(o.Reload)},
	}
	path := o.TelemetryPath
	_, taken := h.routes[path]
	if taken || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		return nil, fmt.Errorf("web: telemetry path %q: want an absolute path that is none of %s, %s, %s",
			path, healthyPath, readyPath, reloadPath)
	}
	m := newMetrics(o)
	h.routes[path] = read(m.ServeHTTP)
	if path != "/" {
		h.routes["/"] = read(m.landing())
	}
	return h, nil
}

// SetReady makes /-/ready answer 200. It does nothing after SetStopping.
func (h *Handler) SetReady() { h.phase.CompareAndSwap(starting, serving) }

// SetStopping makes /-/ready answer 503 for ever, so that nobody is sent to a
// daemon that is about to go. Scrapes are served on.
func (h *Handler) SetStopping() { h.phase.Store(stopping) }

// ServeHTTP answers exact paths only: there is no page below another.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	to := h.routes[r.URL.Path]
	switch {
	case to.serve == nil:
		http.NotFound(w, r)
	case !slices.Contains(to.methods, r.Method):
		w.Header().Set("Allow", strings.Join(to.methods, ", "))
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	default:
		to.serve(w, r)
	}
}

func (h *Handler) serveReady(w http.ResponseWriter, _ *http.Request) {
	switch {
	case h.unready != "":
		plain(w, http.StatusServiceUnavailable, h.unready)
	case h.phase.Load() != serving:
		plain(w, http.StatusServiceUnavailable, "landlockd is not ready.\n")
	default:
		plain(w, http.StatusOK, "landlockd is ready.\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that has gone needs no answer
}
