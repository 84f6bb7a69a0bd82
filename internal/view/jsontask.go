// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

type taskJSON struct {
	TID int32 `json:"tid"`
	startJSON
	stateJSON
	ViewIndex  *int32 `json:"view_index"`
	UID        uint32 `json:"uid"`
	NoNewPrivs bool   `json:"no_new_privs"`
	// Seccomp is the mode: none, strict or filter.
	Seccomp string `json:"seccomp"`
}

func newTaskJSON(s *scan.Snapshot, t scan.Task, views *viewIndex) taskJSON {
	j := taskJSON{
		TID: t.TID, startJSON: newStartJSON(t.Start), stateJSON: newStateJSON(t.State, t.Reason),
		UID: t.UID, NoNewPrivs: t.Hardening&scan.NoNewPrivs != 0, Seccomp: seccompText(t.Hardening),
	}
	switch t.State {
	case scan.Unsandboxed:
		j.Depth, j.DepthExact = new(int), true
	case scan.Sandboxed:
		depth, lineage := max(1, int(t.Depth)), domainid.LineageUnknown
		if d := domainOf(s, t); d >= 0 {
			lineage, j.Domain = s.Domains[d].Lineage, s.Domains[d].ID
			j.ViewIndex = views.find(s, t.View, d)
		}
		j.Depth, j.Lineage, j.DepthExact = &depth, &lineage, t.DepthExact
	}
	return j
}

func seccompText(h scan.Hardening) string {
	switch {
	case h&scan.SeccompFilter != 0:
		return "filter"
	case h&scan.SeccompStrict != 0:
		return "strict"
	default:
		return "none"
	}
}

// workerJSON is a thread that the kernel made for a process.
type workerJSON struct {
	TID int32 `json:"tid"`
	startJSON
	Real    placeJSON     `json:"real"`
	Acting  placeJSON     `json:"acting"`
	Outside access.Answer `json:"outside"`
}

// placeJSON is where credentials are.
type placeJSON struct {
	State  scan.State  `json:"state"`
	Domain domainid.ID `json:"domain"`
}

func newWorkerJSON(s *scan.Snapshot, p *scan.Process, w *scan.Worker) workerJSON {
	return workerJSON{w.TID, newStartJSON(w.Start), newPlaceJSON(s, w.Real),
		newPlaceJSON(s, w.Acting), s.Outside(p, w)}
}

func newPlaceJSON(s *scan.Snapshot, at scan.Place) placeJSON {
	j := placeJSON{State: at.State}
	if at.State == scan.Sandboxed && at.Domain >= 0 && int(at.Domain) < len(s.Domains) {
		j.Domain = s.Domains[at.Domain].ID
	}
	return j
}
