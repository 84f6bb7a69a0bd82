// SPDX-License-Identifier: Apache-2.0

// Package page shows what metrics say as a page of pictures, for people with a browser. It takes
// the series of one scrape and nothing else, so that nothing is on it that metrics do not show,
// and nothing means something else there.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/http"

	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/untrusted"
)

var (
	//go:embed page.html
	text string
	//go:embed page.css
	style string
)

// Options are what the page shows beside metrics.
type Options struct {
	// Links lead to other pages; what is relative works behind a proxy that adds a prefix.
	Links []Link
	// Unready is why the daemon never becomes ready; empty if it does.
	Unready string
}

// Link is an address, its name, and what is there.
type Link struct{ Address, Text, About string }

// Page makes pages. It is safe for concurrent use.
type Page struct {
	o        Options
	template *template.Template
	policy   string
}

// New returns what makes pages.
func New(o Options) *Page {
	name := func(s string) string { return untrusted.Escape(s, 0, false) }
	functions := template.FuncMap{
		"name": name,
		"workload": func(s string) string {
			if s == collector.Other { // none that is called so has series of its own
				return "all others"
			}
			return name(s)
		},
		"words": func(s string) string { return untrusted.EscapeWords(s, 0, false) },
		"docs":  func(page string) string { return docs + page },
	}
	sum := sha256.Sum256([]byte(style))
	return &Page{
		o: o, template: template.Must(template.New("page").Funcs(functions).Parse(text)),
		policy: fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; img-src data:; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			base64.StdEncoding.EncodeToString(sum[:])),
	}
}

// docs is where the documentation is.
const docs = "https://github.com/landlockd/landlockd/blob/main/docs/"

// Handler answers with the page of one scrape's metrics.
func (p *Page) Handler(families []*dto.MetricFamily) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		if err := p.write(&b, families); err != nil { // a fault of the template
			http.Error(w, "cannot make the page", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", p.policy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
	})
}

func (p *Page) write(w io.Writer, families []*dto.MetricFamily) error {
	return p.template.Execute(w, struct {
		Options
		Style template.CSS
		view
	}{p.o, template.CSS(style), newView(newSeries(families))}) //nolint:gosec // it is ours
}

// Overview writes what a page shows of metrics, for another page: two elements with the IDs cards
// and rest, in the [Style] of pages.
func (p *Page) Overview(w io.Writer, families []*dto.MetricFamily) error {
	return p.template.ExecuteTemplate(w, "overview", struct {
		Options
		view
	}{p.o, newView(newSeries(families))})
}

// Style returns the style sheet of pages.
func Style() string { return style }
