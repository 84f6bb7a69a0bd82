// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Options are what a [Server] serves. Scans must be set.
type Options struct {
	// Scans is where the facts on callers come from.
	Scans *scan.Shared
	// Denials is nil if none are collected.
	Denials *denials.Monitor
	// Runs is nil if none are counted, and RunsOff reports whether that was asked for.
	Runs    *runs.Tally
	RunsOff bool
	// Logger gets what goes wrong at debug level: clients can make that happen.
	Logger *slog.Logger
}

// Server answers whoever may look at every process of the host: a process of root
// that connects, and in a snapshot that was begun after its request still runs as
// root, all of whose threads have CAP_SYS_PTRACE in the initial user namespace and are in
// no domain. All others get one and the same refusal, so that it does not show them
// what they are. A connection serves one request.
type Server struct {
	o    Options
	http *http.Server
}

// scanPatience is how long a request waits for a scan.
const scanPatience = 10 * time.Second

// NewServer returns a server.
func NewServer(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+denialsPath, s.guarded(s.serveDenials))
	mux.HandleFunc("GET "+runsPath, s.guarded(s.serveRuns))
	mux.HandleFunc("GET "+snapshotPath, s.guarded(s.serveSnapshot))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "not_found",
			"there is nothing at this path, or not by this method")
	})
	s.http = &http.Server{
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
		Handler:  mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: scanPatience + 5*time.Second, MaxHeaderBytes: 4 << 10,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if c, ok := c.(*conn); ok {
				ctx = context.WithValue(ctx, peerKey{}, c.peer)
			}
			return ctx
		},
	}
	// Each request is of a peer that connected just now.
	s.http.SetKeepAlivesEnabled(false)
	return s
}

type peerKey struct{}

// Serve serves until Close; then the error is http.ErrServerClosed.
func (s *Server) Serve(l *net.UnixListener) error { return s.http.Serve(newListener(l)) }

// Close ends serving and all connections.
func (s *Server) Close() error { return s.http.Close() }

// guarded lets those through who see every process, with the snapshot that shows it.
func (s *Server) guarded(
	serve func(http.ResponseWriter, *http.Request, *scan.Snapshot),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, ok := r.Context().Value(peerKey{}).(*peer)
		if !ok || !p.seesAllAtConnect() {
			refuseCaller(w)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), scanPatience)
		defer cancel()
		// Not since it connected: it may have entered a domain before it asked.
		snap, err := s.o.Scans.ScanSince(ctx, time.Now())
		switch {
		case err != nil:
			s.o.Logger.Debug("no scan for a caller of the API", "err", err)
			refuse(w, http.StatusServiceUnavailable, "no_scan",
				"who asks is not known, because this host cannot be scanned now")
		case p.seesAll(snap):
			serve(w, r, snap)
		case snap.Source.Name == procattr:
			refuse(w, http.StatusForbidden, "not_known", "--source=procattr does not show which "+
				"capabilities a caller has: nobody is answered")
		default:
			refuseCaller(w)
		}
	}
}

// procattr is the source that has no capabilities.
const procattr = "procattr"

func refuseCaller(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, "not_allowed", "this is for root alone: with CAP_SYS_PTRACE, "+
		"in the initial user namespace, in no Landlock domain, not confined by another security "+
		"module, and connected by a process that still lives")
}

// errorJSON is the body of every answer that is not 200.
type errorJSON struct {
	Schema  string `json:"schema"`
	Error   string `json:"error"`
	Message string `json:"message"`
}

const errorSchema = "landlockd/error/v1"

func refuse(w http.ResponseWriter, status int, word, message string) {
	answer(w, status, errorJSON{errorSchema, word, message})
}

func answer(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	enc := untrusted.NewEncoder(&b)
	if err := enc.Encode(v); err != nil {
		http.Error(w, "cannot encode the answer", http.StatusInternalServerError)
		return
	}
	begin(w, status)
	_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
}

// begin begins an answer.
func begin(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}
