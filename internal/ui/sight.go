// SPDX-License-Identifier: Apache-2.0

package ui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Sight is a host at one time, as this user may see it.
type Sight struct {
	Snapshot *scan.Snapshot
	// Metrics are what it comes to.
	Metrics prometheus.Gatherer
	// From says in words who looked.
	From string

	processes []byte // what is served of them, made once
}

// eyes look when somebody asks, and not again before they had a rest.
type eyes struct {
	look func() (*Sight, error)
	rest time.Duration

	mu    sync.Mutex
	at    time.Time
	sight *Sight
	err   error
}

func (e *eyes) see() (*Sight, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.at.IsZero() || time.Since(e.at) >= e.rest {
		e.sight, e.err = e.look()
		if e.err == nil {
			e.sight.processes, e.err = e.sight.encode()
		}
		e.at = time.Now()
	}
	return e.sight, e.err
}

// processesJSON is what is served of all processes, in the order of their tree.
type processesJSON struct {
	Time string `json:"time"`
	// Notes say who looked, and what is to be known of it.
	Notes     []string      `json:"notes"`
	Processes []processJSON `json:"processes"`
}

// processJSON is one process. All text of others is fit to be shown.
type processJSON struct {
	// Key names it while it lives; Up is the place of its parent, -1 for none.
	Key string `json:"key"`
	Up  int32  `json:"up"`
	PID int32  `json:"pid"`
	// Shown reports whether landlockd tree shows it if it is asked for nothing else.
	Shown     bool   `json:"shown"`
	Command   string `json:"command"`
	State     string `json:"state"`
	Depth     string `json:"depth"`
	Domain    string `json:"domain"`
	Restricts string `json:"restricts"`
	Workload  string `json:"workload"`
}

func keyOf(p *scan.Process) string { return fmt.Sprintf("%d-%d", p.PID, p.Start) }

// find returns the process that a key names, or nil.
func (s *Sight) find(key string) *scan.Process {
	var pid int32
	if _, err := fmt.Sscanf(key, "%d-", &pid); err != nil {
		return nil
	}
	if p := s.Snapshot.Find(pid); p != nil && keyOf(p) == key {
		return p
	}
	return nil
}

func (s *Sight) encode() ([]byte, error) {
	snap := s.Snapshot
	shown := make([]bool, len(snap.Processes))
	for _, i := range tree.Shown(snap, tree.Options{}) {
		shown[i] = true
	}
	j := processesJSON{
		Time:      snap.Time.UTC().Format("15:04:05 UTC"),
		Notes:     append([]string{untrusted.EscapeWords(s.From, 0, false)}, tree.Below(snap)...),
		Processes: make([]processJSON, 0, len(snap.Processes)),
	}
	forest, rowOf := snap.Forest(), tree.Rows(snap)
	places := make([]int32, len(snap.Processes))
	for i := range forest.Walk() {
		p, r, up := &snap.Processes[i], rowOf(i), forest.Parent(i)
		if up >= 0 {
			up = places[up]
		}
		places[i] = int32(len(j.Processes))
		j.Processes = append(j.Processes, processJSON{
			Key: keyOf(p), Up: up, PID: p.PID, Shown: shown[i], Command: tree.Command(p),
			State: r.State, Depth: r.Depth, Domain: r.Domain, Restricts: r.Restricts,
			Workload: untrusted.Escape(r.Workload, 0, false),
		})
	}
	return json.Marshal(j)
}

func (s *Server) processes(w http.ResponseWriter, _ *http.Request, sight *Sight) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(sight.processes) // a client that has gone needs no answer
}
