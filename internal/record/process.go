// SPDX-License-Identifier: Apache-2.0

package record

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// maxComm is the length of scan.Comm without the NUL that ends it.
const maxComm = len(scan.Comm{}) - 1

func (l *loader) process(value string) error {
	s := l.snap
	p := scan.Process{FirstTask: int32(len(s.Tasks)), FirstWorker: int32(len(s.Workers)),
		Workload: scan.NoWorkload}
	l.firstWorker = p.FirstWorker
	var comm, state, reason, seccomp, noNewPrivs, origin string
	all := likeTask{task: scan.Task{View: domainid.NoView}}
	var depth, maxDepth int32 = -1, -1
	var threads int32
	err := object(value,
		required("pid", integer(&p.PID, 1, 1<<31-1)),
		required("ppid", integer(&p.PPID, 0, 1<<31-1)),
		required("start_ns", decimal(&p.Start)),
		required("exec", decimal(&p.Exec)),
		required("comm", text(&comm, maxComm)),
		required("exe", orNull(encoded(&p.Exe, maxPath))),
		required("exe_cut", boolean(&p.ExeCut)),
		required("exe_deleted", boolean(&p.ExeDeleted)),
		required("exe_origin", oneOf(&origin, "unknown", "host", "image", "user")),
		optional("workload_index", orNull(integer(&p.Workload, 0, 1<<31-1))),
		required("state", stateWord(&state, "partial")),
		required("reason", reasonWord(&reason)),
		required("depth", orNull(integer(&depth, 0, 1<<16-1))),
		required("max_depth", orNull(integer(&maxDepth, 0, 1<<16-1))),
		required("depth_exact", boolean(&all.task.DepthExact)),
		required("domain", orNull(identifier(&all.domain))),
		required("view_index", orNull(integer(&all.task.View, 0, maxTasks))),
		required("uid", integer(&p.UID, 0, 1<<32-1)),
		required("user_ns", orNull(integer(&p.UserNS, 1, 1<<32-1))),
		required("mount_ns_owner", orNull(integer(&p.MountNSOwner, 1, 1<<32-1))),
		required("seccomp", oneOf(&seccomp, "none", "some", "all")),
		required("no_new_privs", oneOf(&noNewPrivs, "none", "some", "all")),
		required("cgroup_id", orNull(decimal(&p.CgroupID))),
		required("cgroup_v1_id", orNull(decimal(&p.CgroupV1ID))),
		required("threads", integer(&threads, 1, maxTasks)),
		optional("tasks", list(l.task)),
		optional("workers", list(l.worker)),
	)
	if err != nil {
		return err
	}
	copy(p.Comm[:maxComm], comm)
	if err := p.ExeOrigin.UnmarshalText([]byte(origin)); err != nil {
		return fmt.Errorf("pid %d: %w", p.PID, err)
	}
	if p.ExeCut && p.Exe != "" && len(p.Exe) < scan.CutPath {
		return fmt.Errorf("pid %d: a path that was cut to %d bytes, want at least %d",
			p.PID, len(p.Exe), scan.CutPath)
	}
	if p.State, p.Reason, err = stateOf(state, reason); err != nil {
		return err
	}
	if (depth < 0) != (p.State == scan.Unknown) || (maxDepth < 0) != (depth < 0) || maxDepth < depth {
		return fmt.Errorf("pid %d: it is %s, but its depths are not those of such a process", p.PID, p.State)
	}
	if (depth > 0) != (p.State == scan.Sandboxed) && p.State != scan.Unknown {
		return fmt.Errorf("pid %d: it is %s at depth %d", p.PID, p.State, depth)
	}
	p.Depth, p.MaxDepth = uint16(max(0, depth)), uint16(max(0, maxDepth))
	if len(s.Processes) > 0 && s.Processes[len(s.Processes)-1].PID >= p.PID {
		return fmt.Errorf("pid %d does not ascend", p.PID)
	}
	all.task.State, all.task.Reason = p.State, p.Reason
	all.task.Depth, all.task.UID = p.Depth, p.UID
	if seccomp != scan.OfNone.String() {
		all.task.Hardening |= scan.SeccompFilter
	}
	if noNewPrivs != scan.OfNone.String() {
		all.task.Hardening |= scan.NoNewPrivs
	}
	if err := l.tasks(&p, threads, all); err != nil {
		return fmt.Errorf("pid %d: %w", p.PID, err)
	}
	p.NoNewPrivs = scan.ExtentOf(s.TasksOf(&p), scan.NoNewPrivs)
	p.Seccomp = scan.ExtentOf(s.TasksOf(&p), scan.SeccompStrict|scan.SeccompFilter)
	if p.NoNewPrivs.String() != noNewPrivs || p.Seccomp.String() != seccomp {
		return fmt.Errorf("pid %d: no_new_privs of %s and seccomp of %s, but its tasks say otherwise",
			p.PID, noNewPrivs, seccomp)
	}
	p.NumWorkers = int32(len(s.Workers)) - p.FirstWorker
	s.Processes = append(s.Processes, p)
	return nil
}

// likeTask is what all tasks of a process are, where the file has none of them.
type likeTask struct {
	task   scan.Task
	domain domainid.ID
}

// tasks completes a process.
func (l *loader) tasks(p *scan.Process, threads int32, all likeTask) error {
	s := l.snap
	if listed := int32(len(s.Tasks)) - p.FirstTask; listed == 0 {
		if len(s.Tasks)+int(threads) > maxTasks {
			return errors.New("too many threads")
		}
		if all.domain != domainid.None && p.State != scan.Sandboxed || p.State == scan.Partial {
			return fmt.Errorf("it is %s, but its tasks are not listed", p.State)
		}
		for range threads {
			s.Tasks = append(s.Tasks, all.task)
			l.domains = append(l.domains, all.domain)
		}
	} else if listed != threads {
		return fmt.Errorf("%d threads, but %d tasks", threads, listed)
	}
	p.NumTasks = threads
	var n [4]int32 // by state
	for i, t := range s.TasksOf(p) {
		n[t.State]++
		p.UIDsDiffer = p.UIDsDiffer || t.UID != p.UID
		if i > 0 && t.TID != 0 && t.TID <= s.TasksOf(p)[i-1].TID {
			return fmt.Errorf("tid %d does not ascend", t.TID)
		}
	}
	fits := true
	switch p.State {
	case scan.Sandboxed, scan.Unsandboxed:
		fits = n[p.State] == threads
	case scan.Partial:
		fits = n[scan.Sandboxed] > 0 && n[scan.Unsandboxed] > 0
	}
	if !fits {
		return fmt.Errorf("it is %s, but its tasks say otherwise", p.State)
	}
	return nil
}
