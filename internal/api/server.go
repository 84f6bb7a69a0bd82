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
	"github.com/landlockd/landlockd/internal/policy"
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
	// Arrivals are the domains that came; nil if they are not noted.
	Arrivals *Arrivals
	// Judge says what the rules in force find in what a caller sees. Nil: there are none.
	Judge func(*scan.Snapshot, policy.Options) *policy.Evaluation
	// Logger gets what goes wrong at debug level: clients can make that happen.
	Logger *slog.Logger
}

// Server answers each caller with what he may see. Of a process that has ended nobody can know
// that any more, nor of what it was denied: those are for whoever may see the whole host. Whoever
// may see nothing gets one and the same refusal, so that it does not show him what he is. A
// connection serves one request.
type Server struct {
	o         Options
	http      *http.Server
	following chan struct{} // holds one for each log that is followed
}

// scanPatience is how long a request waits for a scan.
const scanPatience = 10 * time.Second

// NewServer returns a server.
func NewServer(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, following: make(chan struct{}, maxFollowers)}
	mux := http.NewServeMux()
	for path, serve := range s.routes() {
		mux.HandleFunc("GET "+path, serve)
	}
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

// routes are what is served by GET: docs/openapi.yaml.
func (s *Server) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		snapshotPath:             s.guarded(part, s.serveSnapshot),
		processesPath:            s.guarded(part, s.serveProcesses),
		processesPath + "/{pid}": s.guarded(part, s.serveProcess),
		workloadsPath:            s.guarded(part, s.serveWorkloads),
		domainsPath:              s.guarded(part, s.serveDomains),
		rulesPath:                s.guarded(part, s.serveRules),
		denialsPath:              s.guarded(whole, s.serveDenials),
		runsPath:                 s.guarded(whole, s.serveRuns),
		logPath:                  s.guarded(whole, s.serveLog),
	}
}

type peerKey struct{}

// Serve serves until Close; then the error is http.ErrServerClosed.
func (s *Server) Serve(l *net.UnixListener) error { return s.http.Serve(newListener(l)) }

// Close ends serving and all connections.
func (s *Server) Close() error { return s.http.Close() }

// audience is for whom an answer is.
type audience bool

const (
	whole audience = false // whoever may see the whole host
	part  audience = true  // everybody, as far as he may see it
)

// paceOf is how often the host is scanned for a caller: for root, whose second command does not
// wait, a fifth of the time at most; for others once a second, and a twentieth of the time at most.
func paceOf(uid uint32) scan.Pace {
	if uid == 0 {
		return scan.Pace{Pause: 5 * time.Millisecond, Rest: 4}
	}
	return scan.Pace{Pause: time.Second, Rest: 20}
}

// guarded lets those through who may see something, with what that is of a snapshot.
func (s *Server) guarded(
	to audience, serve func(http.ResponseWriter, *http.Request, *scan.Snapshot),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, ok := r.Context().Value(peerKey{}).(*peer)
		if !ok || !p.known() || to == whole && p.uid != 0 {
			refuseCaller(w, to)
			return
		}
		// A request is whole when it gets here: reading on only finds out that the caller has gone.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		// Not a deadline: that nobody had time for somebody is no failure of a scan.
		defer time.AfterFunc(scanPatience, cancel).Stop()
		if p.uid != 0 {
			if !p.user.begin(ctx) {
				refuse(w, http.StatusServiceUnavailable, "busy", "other requests of this user wait")
				return
			}
			defer p.user.end()
		}
		// Not since it connected: it may have entered a domain before it asked.
		snap, err := s.o.Scans.ScanSince(ctx, time.Now(), paceOf(p.uid))
		if err != nil {
			s.o.Logger.Debug("no scan for a caller of the API", "err", err)
			refuse(w, http.StatusServiceUnavailable, "no_scan",
				"who asks is not known, because this host cannot be scanned now")
			return
		}
		if snap.Source.Name == procattr {
			refuse(w, http.StatusForbidden, "not_known", "--source=procattr does not show what "+
				"a caller may look at: nobody is answered")
			return
		}
		if seen := p.view(snap, to); seen != nil {
			serve(w, r, seen)
			return
		}
		refuseCaller(w, to)
	}
}

// view returns what a peer may see of a snapshot, nil if that is nothing or not enough.
func (p *peer) view(snap *scan.Snapshot, to audience) *scan.Snapshot {
	caller := p.find(snap)
	if caller == nil {
		return nil
	}
	v, ok := sightOf(snap, caller)
	if !ok || to == whole && !v.everything() {
		return nil
	}
	if seen := v.snapshot(); len(seen.Processes) > 0 {
		return seen
	}
	return nil
}

// procattr is the source that has no credentials.
const procattr = "procattr"

func refuseCaller(w http.ResponseWriter, to audience) {
	message := "there is no process here that you may look at (PTRACE_MODE_READ of ptrace(2)); " +
		"who is in a Landlock domain sees those that are nested inside it"
	if to == whole {
		message = "this is for root alone: with CAP_SYS_PTRACE, in the initial user namespace, " +
			"in no Landlock domain, not confined by another security module, and connected by a " +
			"process that still lives"
	}
	refuse(w, http.StatusForbidden, "not_allowed", message)
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
func begin(w http.ResponseWriter, status int) { beginOf(w, "application/json", status) }

func beginOf(w http.ResponseWriter, kind string, status int) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}
