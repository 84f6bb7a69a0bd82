// SPDX-License-Identifier: Apache-2.0

package ui

import (
	_ "embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/page"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

var (
	//go:embed ui.html
	shell string
	//go:embed ui.js
	script string
	//go:embed ui.css
	style string
)

// Options are what is served.
type Options struct {
	// Address is where, as HOST:PORT.
	Address string
	// Look looks at the host. It is called by one request at a time, at most twice in Interval.
	Look func() (*Sight, error)
	// Explain explains a process in text for people. It is called for one at a time.
	Explain func(*Sight, *scan.Process) (string, error)
	// Interval is how long a browser waits until it asks again.
	Interval time.Duration
}

// Server answers one browser.
type Server struct {
	o     Options
	guard *guard
	pages *page.Page
	eyes  eyes
	// explaining has room for one.
	explaining chan struct{}
	routes     map[string]http.HandlerFunc
}

// New returns a server, and the address by which one browser gets in.
func New(o Options) (s *Server, address string) {
	s = &Server{
		o: o, guard: newGuard(o.Address), pages: page.New(page.Options{}),
		eyes:       eyes{look: o.Look, rest: o.Interval / 2},
		explaining: make(chan struct{}, 1),
	}
	s.routes = map[string]http.HandlerFunc{
		"/":          s.known("text/html", strings.Replace(shell, "{{interval}}", millis(o.Interval), 1)),
		"/ui.js":     s.known("text/javascript", script),
		"/ui.css":    s.known("text/css", page.Style()+style),
		"/overview":  s.seen(s.overview),
		"/processes": s.seen(s.processes),
		"/explain":   s.seen(s.explain),
	}
	return s, "http://" + o.Address + "/?token=" + s.guard.token
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	serve := s.routes[r.URL.Path]
	switch {
	case r.Host != s.guard.host:
		http.Error(w, "This is "+s.guard.host+", and answers to no other name.",
			http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "This is only read.", http.StatusMethodNotAllowed)
	case r.URL.Path == "/" && r.URL.Query().Has("token"):
		s.guard.enter(w, r)
	case serve == nil:
		http.NotFound(w, r)
	default:
		serve(w, r)
	}
}

// known serves what has no facts in it to who has the cookie.
func (s *Server) known(kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.guard.knows(r) {
			refuse(w, "This browser was not let in.")
			return
		}
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		_, _ = w.Write([]byte(text)) // a client that has gone needs no answer
	}
}

// seen serves what the host looks like to who has cookie and key.
func (s *Server) seen(serve func(http.ResponseWriter, *http.Request, *Sight)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.guard.mayRead(r) {
			refuse(w, "This tab was not let in.")
			return
		}
		sight, err := s.eyes.see()
		if err != nil {
			http.Error(w, untrusted.OneLine(err.Error()), http.StatusServiceUnavailable)
			return
		}
		serve(w, r, sight)
	}
}

func (s *Server) overview(w http.ResponseWriter, _ *http.Request, sight *Sight) {
	families, err := sight.Metrics.Gather()
	if err != nil {
		http.Error(w, fmt.Sprintf("collect metrics: %v", err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = s.pages.Overview(w, families) // a client that has gone needs no answer
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request, sight *Sight) {
	p := sight.find(r.URL.Query().Get("process"))
	if p == nil {
		http.Error(w, "That process is not there any more.", http.StatusNotFound)
		return
	}
	select {
	case s.explaining <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	defer func() { <-s.explaining }()
	text, err := s.o.Explain(sight, p)
	if err != nil {
		text += "\n" + untrusted.OneLine(err.Error()) + "\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text))
}
