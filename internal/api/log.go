// SPDX-License-Identifier: Apache-2.0

package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

const (
	logPath = "/v1/log"
	// LogSchema names the form of what /v1/log answers with: a [LogLine] on each line.
	LogSchema = "landlockd/log/v1"
)

// What a log can be about, as the parameter only has it.
const (
	LogRuns    = "runs"
	LogDenials = "denials"
	LogDomains = "domains"
)

// LogKinds are all of them.
func LogKinds() []string { return []string{LogRuns, LogDenials, LogDomains} }

// LogLine is one line: what Event names, and the member of that name.
type LogLine struct {
	// Event is "start", which the first line is, "run", "denial", "domain" or "lost".
	Event  string          `json:"event"`
	Start  *LogStart       `json:"start,omitempty"`
	Run    *runs.Ended     `json:"run,omitempty"`
	Denial *denials.Denial `json:"denial,omitempty"`
	Domain *Arrival        `json:"domain,omitempty"`
	Lost   *LogLost        `json:"lost,omitempty"`
}

// LogStart is what the daemon reports.
type LogStart struct {
	Schema string `json:"schema"`
	// Runs and Denials are the ways of [Runs] and [Denials].
	Runs    string `json:"runs"`
	Denials string `json:"denials"`
}

// LogLost is what happened too fast for who follows.
type LogLost struct {
	// Of is one of LogKinds.
	Of    string `json:"of"`
	Count uint64 `json:"count"`
}

func (l *LogLine) time() time.Time {
	switch {
	case l.Run != nil:
		return l.Run.Time
	case l.Denial != nil:
		return l.Denial.Time
	case l.Domain != nil:
		return l.Domain.Time
	default:
		return time.Time{}
	}
}

// maxFollowers is how many logs are followed at a time: they leave room for other requests.
const maxFollowers = 6

const (
	logPause = time.Second
	// scanPause is how often the host is scanned for who follows domains, and judgePause how
	// often for who follows anything: whether it may still see that.
	scanPause  = 2 * time.Second
	judgePause = 30 * time.Second
	// writePatience is how long a line may take. Nothing waits for who reads slowly: what is
	// forgotten meanwhile is counted.
	writePatience = 10 * time.Second
)

// logReader is where one reader of the log is.
type logReader struct {
	s    *Server
	q    query
	snap *scan.Snapshot
	// How many of each it has had.
	runs, denials, domains uint64
}

// serveLog answers with what happened last, and then goes on with what happens.
func (s *Server) serveLog(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	q, err := parseQuery(r.URL.RawQuery, "pid", "workload", "only", "last", "follow")
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	}
	if q.follow {
		select {
		case s.following <- struct{}{}:
			defer func() { <-s.following }()
		default:
			refuse(w, http.StatusServiceUnavailable, "busy", "as many logs are followed as can be")
			return
		}
	}
	beginOf(w, "application/jsonl", http.StatusOK)
	l := logReader{s: s, q: q, snap: snap}
	start := LogStart{LogSchema, s.wayOfRuns(snap), s.wayOfDenials(snap)}
	lines := l.next(true)
	if q.last >= 0 {
		lines = lines[max(0, len(lines)-q.last):]
	}
	err = writeLines(w, slices.Concat([]LogLine{{Event: "start", Start: &start}}, lines))
	if err == nil && q.follow {
		err = l.follow(w, r)
	}
	if err != nil {
		s.o.Logger.Debug("A reader of the log has gone, or reads too slowly", "err", err)
		panic(http.ErrAbortHandler)
	}
}

// follow goes on until the reader has gone, or may see the whole host no more.
func (l *logReader) follow(w http.ResponseWriter, r *http.Request) error {
	p := r.Context().Value(peerKey{}).(*peer)
	pause := judgePause
	if l.q.wants(LogDomains) {
		pause = scanPause
	}
	scanned := time.Now()
	for tick := time.Tick(logPause); ; {
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-tick:
		}
		if !p.lives() {
			return nil
		}
		if time.Since(scanned) >= pause {
			ctx, cancel := context.WithTimeout(r.Context(), scanPatience)
			snap, err := l.s.o.Scans.ScanSince(ctx, time.Now(), paceOf(p.uid))
			cancel()
			if err == nil && p.view(snap, whole) == nil {
				return nil
			}
			if scanned = time.Now(); err == nil {
				l.snap = snap
			}
		}
		if err := writeLines(w, l.next(false)); err != nil {
			return err
		}
	}
}

// next returns what has happened since the last call, and was asked for, in the order of time;
// of the first call that is what is remembered.
func (l *logReader) next(first bool) (lines []LogLine) {
	lost := func(of string, n uint64) {
		if n > 0 && !first {
			lines = append(lines, LogLine{Event: "lost", Lost: &LogLost{of, n}})
		}
	}
	if t := l.s.o.Runs; t != nil && l.q.wants(LogRuns) {
		t.Update(nil)
		all, now, n := t.After(l.runs)
		lost(LogRuns, n)
		l.runs = now
		for i := range all {
			if l.q.about(&all[i]) {
				lines = append(lines, LogLine{Event: "run", Run: &all[i]})
			}
		}
	}
	if m := l.s.o.Denials; m != nil && l.q.wants(LogDenials) {
		all, now, n := m.After(l.denials)
		lost(LogDenials, n)
		l.denials = now
		for i := range all {
			if l.isAbout(&all[i]) {
				lines = append(lines, LogLine{Event: "denial", Denial: &all[i]})
			}
		}
	}
	if a := l.s.o.Arrivals; a != nil && l.q.wants(LogDomains) {
		all, now, n := a.After(l.domains)
		lost(LogDomains, n)
		l.domains = now
		for i := range all {
			d := &all[i]
			if (l.q.pid == 0 || d.PID != nil && *d.PID == l.q.pid) &&
				(l.q.workload == "" || d.Workload != nil && string(*d.Workload) == l.q.workload) {
				lines = append(lines, LogLine{Event: "domain", Domain: d})
			}
		}
	}
	order.StableBy(lines, func(a, b LogLine) int { return a.time().Compare(b.time()) })
	return lines
}

// isAbout reports whether a denial is what is asked for. Which workload it was of is known of
// processes that the last scan found.
func (l *logReader) isAbout(d *denials.Denial) bool {
	if l.q.pid != 0 && l.q.pid != d.PID {
		return false
	}
	if l.q.workload == "" {
		return true
	}
	p := l.snap.Find(d.PID)
	if p == nil {
		return false
	}
	w := l.snap.WorkloadOf(p)
	return w != nil && w.Name == l.q.workload
}

// writeLines writes lines, and has them sent.
func writeLines(w http.ResponseWriter, lines []LogLine) error {
	if len(lines) == 0 {
		return nil
	}
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	enc := untrusted.NewEncoder(w)
	for i := range lines {
		if err := enc.Encode(&lines[i]); err != nil {
			return err
		}
	}
	return c.Flush()
}

func (s *Server) wayOfRuns(snap *scan.Snapshot) string {
	if s.o.RunsOff {
		return Off
	}
	return snap.Source.Runs
}

func (s *Server) wayOfDenials(snap *scan.Snapshot) string {
	if s.o.Denials == nil {
		return Off
	}
	return cmp.Or(snap.Source.Denials, scan.DenialsNone)
}
