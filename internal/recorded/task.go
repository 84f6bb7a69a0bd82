// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// startJSON is one time twice: a number for people and for arithmetic, which
// readers may round, and the exact one, which names the task.
type startJSON struct {
	Start   nanoseconds `json:"start" read:"no"`
	StartNS uint64      `json:"start_ns,string"`
}

func newStartJSON(ns uint64) startJSON { return startJSON{nanoseconds(ns), ns} }

// stateJSON is what tasks and processes have in common.
type stateJSON struct {
	State      scan.State        `json:"state"`
	Reason     *scan.Reason      `json:"reason"`
	Depth      *uint16           `json:"depth"`
	DepthExact bool              `json:"depth_exact"`
	Domain     domainid.ID       `json:"domain"`
	Lineage    *domainid.Lineage `json:"lineage" read:"no"`
}

func newStateJSON(state scan.State, reason scan.Reason) stateJSON {
	j := stateJSON{State: state}
	if state == scan.Unknown {
		j.Reason = OrNull(reason)
	}
	return j
}

func (j *stateJSON) check() error {
	if j.Reason != nil && (j.State != scan.Unknown || *j.Reason == scan.NoReason) {
		return fmt.Errorf("it is %s, but with a reason for %s", j.State, scan.Unknown)
	}
	return nil
}

type taskJSON struct {
	TID int32 `json:"tid" min:"1"`
	startJSON
	stateJSON
	ViewIndex  *int32      `json:"view_index" min:"0"`
	SceneIndex *int32      `json:"scene_index" read:"optional" min:"0" max:"4194303"`
	UID        uint32      `json:"uid"`
	NoNewPrivs bool        `json:"no_new_privs"`
	Seccomp    seccompMode `json:"seccomp"`
}

func newTaskJSON(s *scan.Snapshot, t scan.Task, views *viewIndex) taskJSON {
	j := taskJSON{
		TID: t.TID, startJSON: newStartJSON(t.Start), stateJSON: newStateJSON(t.State, t.Reason),
		UID: t.UID, NoNewPrivs: t.Hardening&scan.NoNewPrivs != 0, Seccomp: newSeccompMode(t.Hardening),
	}
	switch t.State {
	case scan.Unsandboxed:
		j.Depth, j.DepthExact = new(uint16), true
	case scan.Sandboxed:
		depth, lineage := max(1, t.Depth), domainid.LineageUnknown
		if d := s.DomainOf(t); d >= 0 {
			lineage, j.Domain = s.Domains[d].Lineage, s.Domains[d].ID
			j.ViewIndex = views.find(s, t.View, d)
			j.SceneIndex = sceneIndex(s, t.Scene, d)
		}
		j.Depth, j.Lineage, j.DepthExact = &depth, &lineage, t.DepthExact
	}
	return j
}

func (j *taskJSON) check() error {
	switch depth := orZero(j.Depth); {
	case j.State == scan.Partial:
		return within("state", errors.New("no task is partial"))
	case j.Domain != domainid.None && j.State != scan.Sandboxed:
		return fmt.Errorf("tid %d: it is %s, but in a domain", j.TID, j.State)
	case (depth > 0) != (j.State == scan.Sandboxed):
		return fmt.Errorf("tid %d: it is %s at depth %d", j.TID, j.State, depth)
	}
	return j.stateJSON.check()
}

func (r *reader) task(j *taskJSON) {
	t := scan.Task{
		TID: j.TID, Start: j.StartNS, State: j.State, Reason: orZero(j.Reason),
		Depth: orZero(j.Depth), DepthExact: j.DepthExact, UID: j.UID,
		View: orElse(j.ViewIndex, domainid.NoView), Scene: orElse(j.SceneIndex, -1) + 1,
		Hardening: scan.SeccompMode(uint32(j.Seccomp)),
	}
	if j.NoNewPrivs {
		t.Hardening |= scan.NoNewPrivs
	}
	r.snap.Tasks = append(r.snap.Tasks, t)
	r.domains = append(r.domains, j.Domain)
}

// workerJSON is a thread that the kernel made for a process.
type workerJSON struct {
	TID int32 `json:"tid" min:"1"`
	startJSON
	Real    placeJSON     `json:"real"`
	Acting  placeJSON     `json:"acting"`
	Outside access.Answer `json:"outside" read:"no"`
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

func (j *placeJSON) check() error {
	switch {
	case j.State == scan.Partial:
		return within("state", errors.New("no credentials are partial"))
	case j.Domain != domainid.None && j.State != scan.Sandboxed:
		return fmt.Errorf("it is %s, but in a domain", j.State)
	}
	return nil
}

func (r *reader) workers(all []workerJSON) error {
	if len(r.snap.Workers)+len(all) > maxTasks {
		return errors.New("too many workers")
	}
	for _, j := range all {
		r.snap.Workers = append(r.snap.Workers, scan.Worker{TID: j.TID, Start: j.StartNS,
			Real: scan.Place{State: j.Real.State}, Acting: scan.Place{State: j.Acting.State}})
		r.places = append(r.places, [2]domainid.ID{j.Real.Domain, j.Acting.Domain})
	}
	return nil
}
