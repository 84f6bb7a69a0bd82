// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"

	"github.com/landlockd/landlockd/internal/page"
)

// landing returns the page at "/": the same scrape as at the telemetry path, within the same
// limits, as pictures. It is not exporter-toolkit's, whose template does not escape what it is
// given.
func (m *metrics) landing() http.HandlerFunc {
	// Relative addresses work behind a proxy that adds a prefix, too.
	relative := func(path string) string { return "./" + strings.TrimPrefix(path, "/") }
	p := page.New(page.Options{Unready: m.Unready, Links: []page.Link{
		{Address: relative(m.TelemetryPath), Text: "Metrics", About: "for Prometheus"},
		{Address: relative(healthyPath), Text: "Healthy", About: "the daemon answers, and scans end"},
		{Address: relative(readyPath), Text: "Ready", About: "the daemon can be scraped"},
	}})
	show := shown{"page", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		families, err := m.answers.current()
		if err != nil { // as with metrics, the others are shown
			m.Logger.Error("cannot collect all metrics for the page", "err", err)
		}
		p.Handler(families).ServeHTTP(w, r)
	})}
	return func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, show) }
}
