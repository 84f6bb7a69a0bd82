// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

type processJSON struct {
	PID  int32 `json:"pid"`
	PPID int32 `json:"ppid"`
	startJSON
	Exec       uint64          `json:"exec,string"`
	Comm       untrusted.Text  `json:"comm"`
	Exe        *untrusted.Text `json:"exe"`
	ExeCut     bool            `json:"exe_cut"`
	ExeDeleted bool            `json:"exe_deleted"`
	ExeOrigin  scan.Origin     `json:"exe_origin"`
	Workload   *untrusted.Text `json:"workload"`
	// WorkloadIndex is that in the array of workloads.
	WorkloadIndex *int32 `json:"workload_index"`
	stateJSON
	MaxDepth *int          `json:"max_depth"`
	Domains  []domainid.ID `json:"domains"`
	// ViewIndex is that in the array of views.
	ViewIndex *int32 `json:"view_index"`
	// Restricted are the rights that it restricts for certain, and
	// RestrictedUnknown those of which that is not known, for the reasons of Doubt.
	Restricted        *rightsJSON   `json:"restricted"`
	RestrictedUnknown *rightsJSON   `json:"restricted_unknown"`
	Doubt             []string      `json:"doubt"`
	Ineffective       access.Answer `json:"ineffective"`
	OutsideWorker     access.Answer `json:"outside_worker"`
	UID               uint32        `json:"uid"`
	UIDs              []uint32      `json:"uids"`
	UserNS            *uint32       `json:"user_ns"`
	MountNSOwner      *uint32       `json:"mount_ns_owner"`
	Seccomp           scan.Extent   `json:"seccomp"`
	NoNewPrivs        scan.Extent   `json:"no_new_privs"`
	CgroupID          *uint64       `json:"cgroup_id,string"`
	CgroupV1ID        *uint64       `json:"cgroup_v1_id,string"`
	Threads           int32         `json:"threads"`
	Tasks             []taskJSON    `json:"tasks,omitempty"`
	Workers           []workerJSON  `json:"workers,omitempty"`
}

// startJSON is one time twice: a number for people and for arithmetic, which
// readers may round, and the exact one, which names the task.
type startJSON struct {
	Start   nanoseconds `json:"start"`
	StartNS uint64      `json:"start_ns,string"`
}

func newStartJSON(ns uint64) startJSON { return startJSON{nanoseconds(ns), ns} }

// stateJSON is what tasks and processes have in common.
type stateJSON struct {
	State      scan.State        `json:"state"`
	Reason     *scan.Reason      `json:"reason"`
	Depth      *int              `json:"depth"`
	DepthExact bool              `json:"depth_exact"`
	Domain     domainid.ID       `json:"domain"`
	Lineage    *domainid.Lineage `json:"lineage"`
}

func newStateJSON(state scan.State, reason scan.Reason) stateJSON {
	j := stateJSON{State: state}
	if state == scan.Unknown {
		j.Reason = unlessZero(reason)
	}
	return j
}

func newProcessJSON(s *scan.Snapshot, p *scan.Process, f facts, views *viewIndex) processJSON {
	j := processJSON{
		PID:          p.PID,
		PPID:         p.PPID,
		startJSON:    newStartJSON(p.Start),
		Exec:         p.Exec,
		Comm:         untrusted.Text(p.Comm.String()),
		Exe:          untrusted.OrNull(p.Exe),
		ExeCut:       p.ExeCut,
		ExeDeleted:   p.ExeDeleted,
		ExeOrigin:    p.ExeOrigin,
		stateJSON:    newStateJSON(p.State, p.Reason),
		Domains:      make([]domainid.ID, len(f.domains)),
		ViewIndex:    views.find(s, f.view, f.domain),
		Doubt:        []string{},
		UID:          p.UID,
		UIDs:         s.UIDs(p),
		UserNS:       unlessZero(p.UserNS),
		MountNSOwner: unlessZero(p.MountNSOwner),
		Seccomp:      p.Seccomp,
		NoNewPrivs:   p.NoNewPrivs,
		CgroupID:     unlessZero(p.CgroupID),
		CgroupV1ID:   unlessZero(p.CgroupV1ID),
		Threads:      p.NumTasks,
	}
	j.Ineffective, j.OutsideWorker = s.Ineffective(p), s.OutsideWorker(p)
	if sandbox, inside := s.SandboxOf(p); inside {
		j.Restricted, j.Doubt = newRightsJSON(sandbox.Restricts.Sure), words(sandbox.Doubt)
		// What a kernel cannot restrict, nothing on it does.
		if unknown := sandbox.Restricts.Unknown().Intersect(s.Kernel.Rights.May); !unknown.Empty() {
			j.RestrictedUnknown = newRightsJSON(unknown)
		}
	}
	if w := s.WorkloadOf(p); w != nil {
		name := untrusted.Text(w.Name)
		j.Workload, j.WorkloadIndex = &name, &p.Workload
	}
	for i, d := range f.domains {
		j.Domains[i] = s.Domains[d].ID
	}
	j.DepthExact = f.exact
	if p.State != scan.Unknown {
		j.Depth, j.MaxDepth = &f.depth, &f.maxDepth
	}
	if f.domain >= 0 {
		j.Domain = s.Domains[f.domain].ID
	}
	if f.sandboxed || p.State == scan.Sandboxed {
		j.Lineage = &f.lineage
	}
	if f.listed {
		for _, t := range s.TasksOf(p) {
			j.Tasks = append(j.Tasks, newTaskJSON(s, t, views))
		}
	}
	for i := range s.WorkersOf(p) {
		j.Workers = append(j.Workers, newWorkerJSON(s, p, &s.WorkersOf(p)[i]))
	}
	return j
}

// unlessZero makes the zero value null.
func unlessZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
