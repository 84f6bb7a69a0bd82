// SPDX-License-Identifier: Apache-2.0

package api

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

const (
	runsPath = "/v1/runs"
	// RunsSchema names the form of [Runs].
	RunsSchema = "landlockd/runs/v1"
)

// Runs is the answer of /v1/runs: docs/api.md.
type Runs struct {
	Schema string `json:"schema"`
	// Way is how processes that ended are counted: one of the words of
	// scan.SourceInfo.Runs, or Off.
	Way string `json:"way"`
	// Since is when counting began; null if they are not counted.
	Since *time.Time `json:"since"`
	// Lost is that of collector.Runs.
	Lost uint64 `json:"lost"`
	// Remembered is the number of those that are remembered, of all processes.
	Remembered int `json:"remembered"`
	// Runs are those that were asked for, the newest first.
	Runs []runs.Ended `json:"runs"`
}

func (s *Server) serveRuns(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	q, err := parseQuery(r.URL.RawQuery, "pid", "workload", "rule")
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	}
	a := Runs{Schema: RunsSchema, Way: s.wayOfRuns(snap), Runs: []runs.Ended{}}
	if t := s.o.Runs; t != nil {
		t.Update(snap) // what ended since the last scrape, too
		stats, all := t.Stats(), t.Recent()
		a.Since, a.Lost, a.Remembered = &stats.Since, stats.Lost, len(all)
		a.Runs = slices.DeleteFunc(all, func(e runs.Ended) bool { return !q.about(&e) })
	}
	answer(w, http.StatusOK, a)
}

// check refuses an answer that is about something else.
func (r *Runs) check() error {
	switch {
	case r.Schema != RunsSchema:
		return fmt.Errorf("the answer is %.40q, want %s", r.Schema, RunsSchema)
	case !denials.IsWord(r.Way):
		return fmt.Errorf("the answer is about runs by %.40q", r.Way)
	}
	return nil
}

// about reports whether what ended is what is asked for.
func (q *query) about(e *runs.Ended) bool {
	hasRule := func(r runs.EndedRule) bool { return r.Rule == q.rule }
	return (q.pid == 0 || q.pid == e.PID) && (q.workload == "" || q.workload == e.Workload) &&
		(q.rule == "" || slices.ContainsFunc(e.Rules, hasRule))
}
