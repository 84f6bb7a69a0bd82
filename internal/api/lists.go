// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bufio"
	"fmt"
	"net/http"
	"time"

	"github.com/landlockd/landlockd/internal/check"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/services"
	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

const (
	processesPath = "/v1/processes"
	workloadsPath = "/v1/workloads"
	domainsPath   = "/v1/domains"
	rulesPath     = "/v1/rules"
	// DomainsSchema names the form of the answer of /v1/domains.
	DomainsSchema = "landlockd/domains/v1"
	// origin is whose snapshot an answer is of, as the JSON of commands has it.
	origin = "daemon"
)

// serveProcesses answers as ps -o json does.
func (s *Server) serveProcesses(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	q, err := parseQuery(r.URL.RawQuery, "workload")
	if err != nil {
		refuse(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	}
	all := make([]*scan.Process, 0, len(snap.Processes))
	for i := range snap.Processes {
		p := &snap.Processes[i]
		if of := snap.WorkloadOf(p); q.workload == "" || of != nil && of.Name == q.workload {
			all = append(all, p)
		}
	}
	s.writeProcesses(w, snap, all)
}

// serveProcess answers with one process. One that is not seen is not there.
func (s *Server) serveProcess(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	pid, err := parsePID(r.PathValue("pid"))
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	case !noParameters(w, r):
		return
	}
	p := snap.Find(pid)
	if p == nil {
		refuse(w, http.StatusNotFound, "not_found", "there is no such process that you may look at")
		return
	}
	s.writeProcesses(w, snap, []*scan.Process{p})
}

// writeProcesses writes one process a line, piece by piece.
func (s *Server) writeProcesses(w http.ResponseWriter, snap *scan.Snapshot, all []*scan.Process) {
	begin(w, http.StatusOK)
	out := bufio.NewWriter(w)
	enc, object := untrusted.NewEncoder(out), recorded.Processes(snap)
	_, err := fmt.Fprintf(out, `{"schema":%q,"time":%q,"origin":%q,"processes":[`, tree.Schema,
		timeText(snap), origin)
	for i, p := range all {
		if err == nil && i > 0 {
			err = out.WriteByte(',')
		}
		if err == nil {
			err = enc.Encode(object(p))
		}
	}
	if err == nil {
		_, err = out.WriteString("]}\n")
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		s.o.Logger.Debug("A caller of the API did not take its answer", "err", err)
		panic(http.ErrAbortHandler) // an answer that was cut must not look whole
	}
}

func timeText(s *scan.Snapshot) string { return s.Time.UTC().Format(time.RFC3339Nano) }

// serveWorkloads answers as services -o json does, by the rules in force.
func (s *Server) serveWorkloads(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	if !noParameters(w, r) {
		return
	}
	assets := make([]int, len(snap.Assets))
	for i := range assets {
		assets[i] = i
	}
	all := services.Of(snap, s.judge(snap).ByWorkload, assets...)
	services.Sort(all, services.Sorts()[0])
	begin(w, http.StatusOK)
	_ = services.JSON(w, snap, all, origin) // it is one write
}

// serveRules answers as check -o json does, by the rules in force. Rules about nothing that the
// caller sees are left out, unless he sees everything.
func (s *Server) serveRules(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	if !noParameters(w, r) {
		return
	}
	begin(w, http.StatusOK)
	_ = check.JSON(w, snap, s.judge(snap), false, origin)
}

func (s *Server) judge(snap *scan.Snapshot) *policy.Evaluation {
	if s.o.Judge == nil {
		return &policy.Evaluation{}
	}
	return s.o.Judge(snap, policy.Options{ByWorkload: true, Unmatched: !snap.Part})
}

func (s *Server) serveDomains(w http.ResponseWriter, r *http.Request, snap *scan.Snapshot) {
	if !noParameters(w, r) {
		return
	}
	all := make([]int32, 0, len(snap.Domains))
	for d := range snap.Forest().WalkDomains() {
		all = append(all, d)
	}
	objects, rulesets := recorded.Domains(snap, all)
	answer(w, http.StatusOK, struct {
		Schema   string `json:"schema"`
		Time     string `json:"time"`
		Origin   string `json:"origin"`
		Rulesets []any  `json:"rulesets"`
		Domains  []any  `json:"domains"`
	}{DomainsSchema, timeText(snap), origin, rulesets, objects})
}

// noParameters refuses a request that has any.
func noParameters(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.RawQuery != "" {
		refuse(w, http.StatusBadRequest, "bad_request", "there is no parameter here")
		return false
	}
	return true
}
