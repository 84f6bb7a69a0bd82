// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/landlockd/landlockd/scan"
)

// metrics serves scrapes. Each gets a registry of its own over one snapshot, so
// that all its series are of one time, and none outlives its scan.
type metrics struct {
	Options
	slots   chan struct{}        // nil means no limit
	runtime *prometheus.Registry // the daemon's process; nil means none
	log     outcomeLog
}

func newMetrics(o Options) *metrics {
	m := &metrics{Options: o, log: outcomeLog{logger: o.Logger}}
	if o.MaxRequests > 0 {
		m.slots = make(chan struct{}, o.MaxRequests)
	}
	if o.DisableExporterMetrics {
		return m
	}
	m.runtime = prometheus.NewRegistry()
	m.runtime.MustRegister(
		// The memory statistics are 25 series that the process's resident
		// memory sums up: they would be a third of all.
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled()),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{PidFn: pidInProcfs}),
	)
	return m
}

// pidInProcfs returns this process's PID in /proc, which may be mounted in another PID
// namespace: there getpid(2)'s is another process's.
func pidInProcfs() (int, error) {
	link, err := os.Readlink("/proc/self")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(link)
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.serve(w, r, m.expose) }

// serve scans, and has shows answer with what this scrape exposes.
func (m *metrics) serve(
	w http.ResponseWriter, r *http.Request, shows func(prometheus.Gatherer) http.Handler,
) {
	release := func() {}
	answered := answering(r.Context())
	defer answered()
	if m.slots != nil {
		select {
		case m.slots <- struct{}{}:
			release = sync.OnceFunc(func() { <-m.slots })
			defer release()
		default:
			http.Error(w, fmt.Sprintf("Limit of concurrent requests reached (%d), try again later.",
				m.MaxRequests), http.StatusServiceUnavailable)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), waitFor(r.Header))
	defer cancel()
	snap, err := m.Scans.Scan(ctx)
	if errors.Is(r.Context().Err(), context.Canceled) {
		return // the client has gone
	}
	m.log.report(err)
	reg, err := m.gatherer(snap)
	if err != nil {
		m.Logger.Error("cannot collect", "err", err)
		http.Error(w, "cannot collect metrics", http.StatusInternalServerError)
		return
	}
	// A client that does not read must not hold a slot: ten of them would keep
	// Prometheus out. So the answer is made in memory first.
	answer := heldAnswer{header: w.Header(), status: http.StatusOK}
	shows(reg).ServeHTTP(&answer, r)
	release()
	answered()
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body.Bytes()) // a client that has gone needs no answer
}

// heldAnswer is a http.ResponseWriter that keeps what is written.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) Header() http.Header         { return a.header }
func (a *heldAnswer) WriteHeader(status int)      { a.status = status }
func (a *heldAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }

// gatherer returns what this scrape exposes; snap is nil if its scan failed.
func (m *metrics) gatherer(snap *scan.Snapshot) (prometheus.Gatherer, error) {
	reg := prometheus.NewRegistry()
	if err := reg.Register(m.Collector(snap)); err != nil {
		return nil, err
	}
	if m.runtime == nil {
		return reg, nil
	}
	return prometheus.Gatherers{m.runtime, reg}, nil
}

// expose returns the handler that negotiates format and compression.
func (m *metrics) expose(g prometheus.Gatherer) http.Handler {
	opts := promhttp.HandlerOpts{
		ErrorLog: errorLog{m.Logger},
		// One broken collector must not take the host out of the fleet's sums.
		ErrorHandling:     promhttp.ContinueOnError,
		EnableOpenMetrics: true,
	}
	if m.runtime != nil {
		opts.Registry = m.runtime
	}
	return promhttp.HandlerFor(g, opts)
}

// errorLog lets promhttp write to slog.
type errorLog struct{ logger *slog.Logger }

func (l errorLog) Println(v ...any) { l.logger.Error(fmt.Sprint(v...)) }
