// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/families"
	"github.com/landlockd/landlockd/internal/self"
	"github.com/landlockd/landlockd/scan"
)

// metrics serves scrapes. Each shows one snapshot, so that all its series are of one time,
// and none outlives its scan.
type metrics struct {
	Options
	slots   chan struct{} // nil means no limit
	answers answers
	exposed shown
	own     *self.Process // nil means none
	log     outcomeLog

	// What is gathered is in these.
	memory    collector.Memory
	ownMemory families.Memory
}

func newMetrics(o Options) *metrics {
	m := &metrics{Options: o, log: outcomeLog{logger: o.Logger}}
	if o.MaxRequests > 0 {
		m.slots = make(chan struct{}, o.MaxRequests)
	}
	if !o.DisableExporterMetrics {
		m.own = self.New()
	}
	m.answers.gather = m.gather
	m.exposed = shown{"metrics", m.exposition()}
	return m
}

func (m *metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.serve(w, r, m.exposed)
}

// serve scans, and shows what this scrape exposes.
func (m *metrics) serve(w http.ResponseWriter, r *http.Request, show shown) {
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
	made := m.scanned(r, show)
	if made == nil {
		return // the client has gone
	}
	// A client that does not read must not hold a slot: ten of them would keep
	// Prometheus out. So the answer is made in memory first.
	release()
	answered()
	made.writeTo(w)
}

// scanned returns the answer to a scrape; nil if its client has gone.
func (m *metrics) scanned(r *http.Request, show shown) *reply {
	seat := m.answers.arrive()
	defer seat.leave()
	ctx, cancel := context.WithTimeout(r.Context(), waitFor(r.Header))
	defer cancel()
	snap, err := m.Scans.Scan(ctx)
	if errors.Is(r.Context().Err(), context.Canceled) {
		return nil
	}
	m.log.report(err)
	return seat.answer(snap, r, show)
}

// gather returns what is exposed of a snapshot, which is nil if its scan failed.
func (m *metrics) gather(snap *scan.Snapshot) ([]*dto.MetricFamily, error) {
	all, err := m.Collector(snap).GatherIn(&m.memory)
	if m.own == nil {
		return all, err
	}
	own, ownErr := m.own.GatherIn(&m.ownMemory)
	all = append(own, all...)
	byName := func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) }
	slices.SortFunc(all, byName) // no name is in both
	return all, errors.Join(ownErr, err)
}

// exposition returns the handler that negotiates the format. What is compressed, and how, is
// decided for all answers alike.
func (m *metrics) exposition() http.Handler {
	return promhttp.HandlerFor(prometheus.GathererFunc(m.answers.current), promhttp.HandlerOpts{
		ErrorLog: errorLog{m.Logger},
		// One broken collector must not take the host out of the fleet's sums.
		ErrorHandling:      promhttp.ContinueOnError,
		EnableOpenMetrics:  true,
		DisableCompression: true,
	})
}

// errorLog lets promhttp write to slog.
type errorLog struct{ logger *slog.Logger }

func (l errorLog) Println(v ...any) { l.logger.Error(fmt.Sprint(v...)) }
