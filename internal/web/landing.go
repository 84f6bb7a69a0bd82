// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

//go:embed landing.html
var landingHTML string

// newLanding returns the page at "/". It is made once: nothing on it changes. It is not
// exporter-toolkit's, whose template does not escape what it is given.
func newLanding(o Options) (http.HandlerFunc, error) {
	type link struct{ Address, Text, About string }
	// Relative addresses work behind a proxy that adds a prefix, too.
	relative := func(path string) string { return "./" + strings.TrimPrefix(path, "/") }
	t := template.Must(template.New("landing").Parse(landingHTML))
	var b bytes.Buffer
	err := t.Execute(&b, map[string]any{
		"Version": o.Version,
		"Links": []link{
			{relative(o.TelemetryPath), "Metrics", "for Prometheus"},
			{relative(healthyPath), "Healthy", "the daemon answers, and scans end"},
			{relative(readyPath), "Ready", "the daemon can be scraped"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("web: landing page: %w", err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
	}, nil
}
