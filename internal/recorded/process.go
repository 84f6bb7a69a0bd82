// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

type processJSON struct {
	PID  int32 `json:"pid" min:"1"`
	PPID int32 `json:"ppid" min:"0"`
	startJSON
	Exec       uint64          `json:"exec,string"`
	Comm       untrusted.Text  `json:"comm" max:"15"`
	Exe        *untrusted.Text `json:"exe" max:"4160"`
	ExeCut     bool            `json:"exe_cut"`
	ExeDeleted bool            `json:"exe_deleted"`
	ExeOrigin  scan.Origin     `json:"exe_origin"`
	// WorkloadIndex is that in the array of workloads.
	WorkloadIndex *int32 `json:"workload_index" read:"optional" min:"0"`
	stateJSON
	MaxDepth *uint16 `json:"max_depth"`
	// ViewIndex is that in the array of views.
	ViewIndex *int32 `json:"view_index" min:"0"`
	// SceneIndex is that in the array of scenes.
	SceneIndex   *int32      `json:"scene_index" read:"optional" min:"0" max:"4194303"`
	UID          uint32      `json:"uid"`
	UserNS       *uint32     `json:"user_ns" min:"1"`
	MountNSOwner *uint32     `json:"mount_ns_owner" min:"1"`
	Seccomp      scan.Extent `json:"seccomp"`
	NoNewPrivs   scan.Extent `json:"no_new_privs"`
	CgroupID     *uint64     `json:"cgroup_id,string"`
	CgroupV1ID   *uint64     `json:"cgroup_v1_id,string"`
	Threads      int32       `json:"threads" min:"1" max:"4194304"`
	// Tasks are left out where all that they are follows from the process.
	Tasks   []taskJSON   `json:"tasks,omitempty" read:"optional"`
	Workers []workerJSON `json:"workers,omitempty" read:"optional"`
	*followingJSON
}

// followingJSON is most of what follows from the rest of a snapshot: nil in one that is brief.
type followingJSON struct {
	Workload *untrusted.Text `json:"workload" read:"no"`
	Domains  []domainid.ID   `json:"domains" read:"no"`
	// Restricted are the rights that it restricts for certain, and
	// RestrictedUnknown those of which that is not known, for the reasons of Doubt.
	Restricted        *rightsJSON   `json:"restricted" read:"no"`
	RestrictedUnknown *rightsJSON   `json:"restricted_unknown" read:"no"`
	Doubt             []string      `json:"doubt" read:"no"`
	Ineffective       access.Answer `json:"ineffective" read:"no"`
	OutsideWorker     access.Answer `json:"outside_worker" read:"no"`
	// Reach has each asset by its name; null of what is not sandboxed, or without assets.
	Reach map[string]domainid.Reach `json:"reach" read:"no"`
	UIDs  []uint32                  `json:"uids" read:"no"`
}

func newFollowingJSON(s *scan.Snapshot, p *scan.Process, f facts.Facts) *followingJSON {
	j := &followingJSON{
		Domains:       make([]domainid.ID, len(f.Domains)),
		Reach:         reachOf(s, p),
		Doubt:         []string{},
		Ineffective:   s.Ineffective(p),
		OutsideWorker: s.OutsideWorker(p),
		UIDs:          s.UIDs(p),
	}
	if w := s.WorkloadOf(p); w != nil {
		j.Workload = new(untrusted.Text(w.Name))
	}
	for i, d := range f.Domains {
		j.Domains[i] = s.Domains[d].ID
	}
	if sandbox, inside := s.SandboxOf(p); inside {
		j.Restricted, j.Doubt = newRightsJSON(sandbox.Restricts.Sure), doubtWords(sandbox.Doubt)
		// What a kernel cannot restrict, nothing on it does.
		if unknown := sandbox.Restricts.Unknown().Intersect(s.Kernel.Rights.May); !unknown.Empty() {
			j.RestrictedUnknown = newRightsJSON(unknown)
		}
	}
	return j
}

func newProcessJSON(s *scan.Snapshot, p *scan.Process, f facts.Facts, views *viewIndex,
	brief bool) *processJSON {
	j := &processJSON{
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
		ViewIndex:    views.find(s, f.View, f.Domain),
		UID:          p.UID,
		UserNS:       OrNull(p.UserNS),
		MountNSOwner: OrNull(p.MountNSOwner),
		Seccomp:      p.Seccomp,
		NoNewPrivs:   p.NoNewPrivs,
		CgroupID:     OrNull(p.CgroupID),
		CgroupV1ID:   OrNull(p.CgroupV1ID),
		Threads:      p.NumTasks,
	}
	if !brief {
		j.followingJSON = newFollowingJSON(s, p, f)
	}
	if views != nil { // otherwise there is no array of scenes, either
		j.SceneIndex = sceneIndex(s, f.Scene, f.Domain)
	}
	if s.WorkloadOf(p) != nil {
		j.WorkloadIndex = &p.Workload
	}
	j.DepthExact = f.Exact
	if p.State != scan.Unknown {
		j.Depth, j.MaxDepth = &f.Depth, &f.MaxDepth
	}
	if f.Domain >= 0 {
		j.Domain = s.Domains[f.Domain].ID
	}
	if f.Sandboxed || p.State == scan.Sandboxed {
		j.Lineage = &f.Lineage
	}
	if f.Listed {
		for _, t := range s.TasksOf(p) {
			j.Tasks = append(j.Tasks, newTaskJSON(s, t, views))
		}
	}
	for i := range s.WorkersOf(p) {
		j.Workers = append(j.Workers, newWorkerJSON(s, p, &s.WorkersOf(p)[i]))
	}
	return j
}

func (j *processJSON) check() error {
	if err := j.stateJSON.check(); err != nil {
		return err
	}
	for i := 1; i < len(j.Workers); i++ {
		if tid := j.Workers[i].TID; tid <= j.Workers[i-1].TID {
			return within(fmt.Sprintf("workers[%d]", i), fmt.Errorf("tid %d does not ascend", tid))
		}
	}
	depth, maxDepth := orZero(j.Depth), orZero(j.MaxDepth)
	switch {
	case len(orZero(j.Exe)) > 0 && j.ExeCut && len(*j.Exe) < scan.CutPath:
		return fmt.Errorf("pid %d: a path that was cut to %d bytes, want at least %d", j.PID,
			len(*j.Exe), scan.CutPath)
	case (j.Depth == nil) != (j.State == scan.Unknown), (j.MaxDepth == nil) != (j.Depth == nil),
		maxDepth < depth:
		return fmt.Errorf("pid %d: it is %s, but its depths are not those of such a process",
			j.PID, j.State)
	case (depth > 0) != (j.State == scan.Sandboxed) && j.State != scan.Unknown:
		return fmt.Errorf("pid %d: it is %s at depth %d", j.PID, j.State, depth)
	}
	return nil
}

func (r *reader) process(j *processJSON) error {
	s := r.snap
	p := scan.Process{
		PID:          j.PID,
		PPID:         j.PPID,
		Start:        j.StartNS,
		Exec:         j.Exec,
		Exe:          string(orZero(j.Exe)),
		ExeCut:       j.ExeCut,
		ExeDeleted:   j.ExeDeleted,
		ExeOrigin:    j.ExeOrigin,
		Workload:     orElse(j.WorkloadIndex, scan.NoWorkload),
		State:        j.State,
		Reason:       orZero(j.Reason),
		Depth:        orZero(j.Depth),
		MaxDepth:     orZero(j.MaxDepth),
		UID:          j.UID,
		UserNS:       orZero(j.UserNS),
		MountNSOwner: orZero(j.MountNSOwner),
		Seccomp:      j.Seccomp,
		NoNewPrivs:   j.NoNewPrivs,
		CgroupID:     orZero(j.CgroupID),
		CgroupV1ID:   orZero(j.CgroupV1ID),
		NumTasks:     j.Threads,
		FirstTask:    int32(len(s.Tasks)),
		FirstWorker:  int32(len(s.Workers)),
		NumWorkers:   int32(len(j.Workers)),
	}
	copy(p.Comm[:], j.Comm)
	if n := len(s.Processes); n > 0 && s.Processes[n-1].PID >= p.PID {
		return fmt.Errorf("pid %d does not ascend", p.PID)
	}
	err := r.tasks(j)
	if err == nil {
		err = r.workers(j.Workers)
	}
	if err == nil {
		err = tasksFit(s.TasksOf(&p), &p)
	}
	if err != nil {
		return fmt.Errorf("pid %d: %w", p.PID, err)
	}
	s.Processes = append(s.Processes, p)
	return nil
}

// tasks adds the tasks of a process. Where the file has none of them, all are as it is.
func (r *reader) tasks(j *processJSON) error {
	s := r.snap
	switch {
	case len(s.Tasks)+max(int(j.Threads), len(j.Tasks)) > maxTasks:
		return errors.New("too many threads")
	case len(j.Tasks) > 0 && len(j.Tasks) != int(j.Threads):
		return fmt.Errorf("%d threads, but %d tasks", j.Threads, len(j.Tasks))
	case len(j.Tasks) > 0:
		for i := range j.Tasks {
			r.task(&j.Tasks[i])
		}
		return nil
	case j.State == scan.Partial, j.Domain != domainid.None && j.State != scan.Sandboxed:
		return fmt.Errorf("it is %s, but its tasks are not listed", j.State)
	}
	all := taskJSON{stateJSON: j.stateJSON, ViewIndex: j.ViewIndex, SceneIndex: j.SceneIndex, UID: j.UID,
		NoNewPrivs: j.NoNewPrivs != scan.OfNone}
	if j.Seccomp != scan.OfNone {
		all.Seccomp = newSeccompMode(scan.SeccompFilter)
	}
	for range j.Threads {
		r.task(&all)
	}
	return nil
}

// tasksFit checks what a process has in common with its tasks, and completes it.
func tasksFit(tasks []scan.Task, p *scan.Process) error {
	var n scan.ByState
	for i, t := range tasks {
		n[t.State]++
		p.UIDsDiffer = p.UIDsDiffer || t.UID != p.UID
		if i > 0 && t.TID != 0 && t.TID <= tasks[i-1].TID {
			return fmt.Errorf("tid %d does not ascend", t.TID)
		}
	}
	fits := true
	switch p.State {
	case scan.Sandboxed, scan.Unsandboxed:
		fits = n[p.State] == len(tasks)
	case scan.Partial:
		fits = n[scan.Sandboxed] > 0 && n[scan.Unsandboxed] > 0
	}
	if !fits {
		return fmt.Errorf("it is %s, but its tasks say otherwise", p.State)
	}
	noNewPrivs := scan.ExtentOf(tasks, scan.NoNewPrivs)
	seccomp := scan.ExtentOf(tasks, scan.SeccompStrict|scan.SeccompFilter)
	if p.NoNewPrivs != noNewPrivs || p.Seccomp != seccomp {
		return fmt.Errorf("no_new_privs of %s and seccomp of %s, but its tasks say otherwise",
			p.NoNewPrivs, p.Seccomp)
	}
	return nil
}
