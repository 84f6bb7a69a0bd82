// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/scan"
)

// answers makes the answers to scrapes, one at a time, in memory that it keeps. What was
// gathered for one scrape is the answer to others too, if those were there before it was
// gathered, so that nobody gets what was true only before he asked: a pair of servers that
// scrape at once costs as much as one.
type answers struct {
	// gather returns what is shown of a snapshot, which is nil if the scan failed, valid until
	// it is called again. No two calls overlap.
	gather func(*scan.Snapshot) ([]*dto.MetricFamily, error)

	arrived atomic.Uint64 // requests so far

	mu    sync.Mutex
	waits int       // requests that may share what is gathered
	last  *gathered // nil if nobody may share it
	body  heldBody
	gzip  compressor
}

// gathered is what was gathered once, and the answers that were made of it.
type gathered struct {
	snap     *scan.Snapshot
	before   uint64 // requests that had arrived when it was gathered
	families []*dto.MetricFamily
	err      error
	made     map[string]*reply
}

// reply is an answer in memory, which is not changed any more.
type reply struct {
	header http.Header
	status int
	body   []byte
}

// seat is that of one request.
type seat struct {
	of     *answers
	number uint64
}

// arrive is for a request that has come just now. It must leave.
func (a *answers) arrive() seat {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waits++
	return seat{a, a.arrived.Add(1)}
}

// leave is called once, when the request has its answer or wants none.
func (s seat) leave() {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	if s.of.waits--; s.of.waits == 0 {
		s.of.last = nil // nor its snapshot is kept
	}
}

// shown is one way to answer with what was gathered: a handler that asks for it by current.
type shown struct {
	kind string
	http.Handler
}

// current returns what was gathered. It is for handlers of shown, while they answer.
func (a *answers) current() ([]*dto.MetricFamily, error) { return a.last.families, a.last.err }

// answer returns the answer to a request, of a snapshot that is nil if its scan failed.
func (s seat) answer(snap *scan.Snapshot, r *http.Request, show shown) *reply {
	a := s.of
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.last
	if g == nil || s.number > g.before || g.snap != snap || snap == nil {
		g = &gathered{snap: snap, before: a.arrived.Load(), made: map[string]*reply{}}
		a.last = nil
		g.families, g.err = a.gather(snap)
		a.last = g
	}
	// All that the answer depends on beside.
	key := strings.Join([]string{
		show.kind, r.Method, r.URL.RawQuery, strings.Join(r.Header["Accept"], "\n"),
		strings.Join(r.Header["Accept-Encoding"], "\n"),
	}, "\x00")
	made := g.made[key]
	if made == nil {
		made = a.make(show, r)
		g.made[key] = made
	}
	return made
}

// make makes an answer.
func (a *answers) make(h http.Handler, r *http.Request) *reply {
	a.body.Reset()
	held := heldAnswer{made: reply{header: http.Header{}, status: http.StatusOK}, heldBody: &a.body}
	h.ServeHTTP(&held, r)
	made, body := held.made, a.body.Bytes()
	made.header.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) {
		body = a.gzip.compress(body)
		made.header.Set("Content-Encoding", "gzip")
	}
	made.header.Set("Content-Length", strconv.Itoa(len(body)))
	made.body = bytes.Clone(body)
	return &made
}

// heldBody has the methods that expfmt would otherwise put a buffer before.
type heldBody struct{ bytes.Buffer }

// heldAnswer is a http.ResponseWriter that keeps what is written.
type heldAnswer struct {
	made reply
	*heldBody
}

func (a *heldAnswer) Header() http.Header    { return a.made.header }
func (a *heldAnswer) WriteHeader(status int) { a.made.status = status }

// writeTo answers a request.
func (r *reply) writeTo(w http.ResponseWriter) {
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // a client that has gone needs no answer
}
