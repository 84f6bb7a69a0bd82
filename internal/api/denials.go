// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"slices"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
)

const (
	denialsPath = "/v1/denials"
	// DenialsSchema names the form of [Denials].
	DenialsSchema = "landlockd/denials/v1"
	// Off is the Way of a daemon that does not collect denials.
	Off = "off"
)

// Denials is the answer of /v1/denials: docs/api.md.
type Denials struct {
	Schema string `json:"schema"`
	// Way is how denials are read now: one of the words of
	// scan.SourceInfo.Denials, or Off.
	Way string `json:"way"`
	// Fed: since the start, some were read one by one.
	Fed bool `json:"fed"`
	// Lost is the number of denials, at most, that came too fast to be read.
	Lost uint64 `json:"lost"`
	// Remembered is the number of denials that are remembered, of all processes.
	Remembered int `json:"remembered"`
	// Denials are those that were asked for, the newest first.
	Denials []denials.Denial `json:"denials"`
}

func (s *Server) serveDenials(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	q, err := parseQuery(r.URL.RawQuery, "pid")
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	}
	d := Denials{Schema: DenialsSchema, Way: Off, Denials: []denials.Denial{}}
	if m := s.o.Denials; m != nil {
		stats, all := m.Stats(), m.Recent()
		d.Way, d.Fed, d.Lost, d.Remembered = snap.Source.Denials, stats.Fed, stats.Lost, len(all)
		others := func(x denials.Denial) bool { return q.pid != 0 && x.PID != q.pid }
		d.Denials = slices.DeleteFunc(all, others)
	}
	answer(w, http.StatusOK, d)
}
