// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"

	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/scan"
)

const snapshotPath = "/v1/snapshot"

// serveSnapshot writes the snapshot by which the caller was judged, piece by piece: the
// daemon has no room for all of a large host's.
func (s *Server) serveSnapshot(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	q, err := parseQuery(r.URL.RawQuery, "brief")
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	}
	begin(w, http.StatusOK)
	if err := recorded.Write(w, snap, recorded.Options{Brief: q.brief}); err != nil {
		s.o.Logger.Debug("A caller of the API did not take its snapshot", "err", err)
		panic(http.ErrAbortHandler) // an answer that was cut must not look whole
	}
}
