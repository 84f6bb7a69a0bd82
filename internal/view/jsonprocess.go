// SPDX-License-Identifier: Apache-2.0

package view

import (
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

type processJSON struct {
	PID  int32 `json:"pid"`
	PPID int32 `json:"ppid"`
	startJSON
	Exec     uint64   `json:"exec,string"`
	Comm     hostile  `json:"comm"`
	Exe      *hostile `json:"exe"`
	Workload *hostile `json:"workload"`
	// WorkloadIndex is that in the array of workloads.
	WorkloadIndex *int32 `json:"workload_index"`
	stateJSON
	MaxDepth     *int          `json:"max_depth"`
	Domains      []domainid.ID `json:"domains"`
	Restricted   *rightsJSON   `json:"restricted"`
	RulesUnread  bool          `json:"rules_unread"`
	UID          uint32        `json:"uid"`
	UserNS       *uint32       `json:"user_ns"`
	MountNSOwner *uint32       `json:"mount_ns_owner"`
	Seccomp      uint8         `json:"seccomp"`
	NoNewPrivs   bool          `json:"no_new_privs"`
	CgroupID     *uint64       `json:"cgroup_id,string"`
	CgroupV1ID   *uint64       `json:"cgroup_v1_id,string"`
	Threads      int32         `json:"threads"`
	Tasks        []taskJSON    `json:"tasks,omitempty"`
}

type taskJSON struct {
	TID int32 `json:"tid"`
	startJSON
	stateJSON
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

func newProcessJSON(s *scan.Snapshot, p *scan.Process, f facts) processJSON {
	j := processJSON{
		PID:          p.PID,
		PPID:         p.PPID,
		startJSON:    newStartJSON(p.Start),
		Exec:         p.Exec,
		Comm:         hostile(p.Comm.String()),
		Exe:          unlessZero(hostile(p.Exe)),
		stateJSON:    newStateJSON(p.State, p.Reason),
		Domains:      make([]domainid.ID, len(f.domains)),
		UID:          p.UID,
		UserNS:       unlessZero(p.UserNS),
		MountNSOwner: unlessZero(p.MountNSOwner),
		Seccomp:      p.Seccomp,
		NoNewPrivs:   p.NoNewPrivs,
		CgroupID:     unlessZero(p.CgroupID),
		CgroupV1ID:   unlessZero(p.CgroupV1ID),
		Threads:      p.NumTasks,
	}
	if s.Source.Rules != "none" && (p.State == scan.Sandboxed || p.State == scan.Partial) {
		j.Restricted, j.RulesUnread = newRightsJSON(p.Restricted), p.RulesUnread
	}
	if w := s.WorkloadOf(p); w != nil {
		name := hostile(w.Name)
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
	if f.differ || saysOtherwise(p, s.TasksOf(p)) {
		for _, t := range s.TasksOf(p) {
			j.Tasks = append(j.Tasks, newTaskJSON(s, t))
		}
	}
	return j
}

// saysOtherwise reports whether a process's state is not that of its tasks, which
// are alike: they were read, but what was read does not add up.
func saysOtherwise(p *scan.Process, tasks []scan.Task) bool {
	return len(tasks) > 0 && (tasks[0].State != p.State || tasks[0].Reason != p.Reason)
}

func newTaskJSON(s *scan.Snapshot, t scan.Task) taskJSON {
	j := taskJSON{TID: t.TID, startJSON: newStartJSON(t.Start), stateJSON: newStateJSON(t.State, t.Reason)}
	switch t.State {
	case scan.Unsandboxed:
		j.Depth, j.DepthExact = new(int), true
	case scan.Sandboxed:
		depth, lineage := 1, domainid.LineageUnknown
		if d := domainOf(s, t); d >= 0 {
			domain := &s.Domains[d]
			depth, lineage, j.Domain = depthOf(domain), domain.Lineage, domain.ID
		}
		j.Depth, j.Lineage, j.DepthExact = &depth, &lineage, lineage == domainid.LineageKnown
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
