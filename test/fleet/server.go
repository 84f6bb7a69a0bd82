// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"net/http"
	"time"
)

// workloadLimit is landlockd's default of --workload.limit.
const workloadLimit = 100

// Path is where a server has the host's metrics.
func (h *Host) Path() string { return h.base() + "/metrics" }

func (h *Host) base() string { return "/hosts/" + h.Name }

// Server serves the pages of a fleet.
type Server struct {
	mux      *http.ServeMux
	machines []*machine
}

// NewServer returns a server of hosts, each of which scans at most once in minInterval.
func NewServer(hosts []*Host, minInterval time.Duration) (*Server, error) {
	rules, err := loadRules()
	if err != nil {
		return nil, err
	}
	s := &Server{mux: http.NewServeMux()}
	for _, h := range hosts {
		m, err := newMachine(h, rules, minInterval)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.machines = append(s.machines, m)
		s.mux.Handle(h.base()+"/", http.StripPrefix(h.base(), m))
	}
	return s, nil
}

// ServeHTTP serves each host's pages: its metrics at its Path, and what is beside them.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// LoseLandlock boots every Losing host with a kernel that does not enable
// Landlock. What is true then is that of [AfterLoss].
func (s *Server) LoseLandlock() error {
	for _, m := range s.machines {
		if err := m.loseLandlock(); err != nil {
			return err
		}
	}
	return nil
}

// Close ends all scans.
func (s *Server) Close() {
	for _, m := range s.machines {
		m.close()
	}
}
