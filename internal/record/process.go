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
	p := scan.Process{FirstTask: int32(len(s.Tasks)), Workload: scan.NoWorkload}
	var comm, state, reason string
	var domain domainid.ID
	var depth, maxDepth int32 = -1, -1
	var threads int32
	restricted := false
	err := object(value,
		required("pid", integer(&p.PID, 1, 1<<31-1)),
		required("ppid", integer(&p.PPID, 0, 1<<31-1)),
		required("start_ns", decimal(&p.Start)),
		required("exec", decimal(&p.Exec)),
		required("comm", text(&comm, maxComm)),
		required("exe", orNull(encoded(&p.Exe, maxPath))),
		optional("workload_index", orNull(integer(&p.Workload, 0, 1<<31-1))),
		required("state", stateWord(&state, "partial")),
		required("reason", reasonWord(&reason)),
		required("depth", orNull(integer(&depth, 0, 1<<16-1))),
		required("max_depth", orNull(integer(&maxDepth, 0, 1<<16-1))),
		required("domain", orNull(identifier(&domain))),
		optional("restricted", func(value string) error {
			restricted = value != null
			return orNull(rights(&p.Restricted))(value)
		}),
		optional("rules_unread", boolean(&p.RulesUnread)),
		required("uid", integer(&p.UID, 0, 1<<32-1)),
		required("user_ns", orNull(integer(&p.UserNS, 1, 1<<32-1))),
		required("mount_ns_owner", orNull(integer(&p.MountNSOwner, 1, 1<<32-1))),
		required("seccomp", integer(&p.Seccomp, 0, 1<<8-1)),
		required("no_new_privs", boolean(&p.NoNewPrivs)),
		required("cgroup_id", orNull(decimal(&p.CgroupID))),
		required("cgroup_v1_id", orNull(decimal(&p.CgroupV1ID))),
		required("threads", integer(&threads, 1, maxTasks)),
		optional("tasks", list(l.task)),
	)
	if err != nil {
		return err
	}
	copy(p.Comm[:maxComm], comm)
	if p.State, p.Reason, err = stateOf(state, reason); err != nil {
		return err
	}
	if (depth < 0) != (p.State == scan.Unknown) || (maxDepth < 0) != (depth < 0) || maxDepth < depth {
		return fmt.Errorf("pid %d: it is %s, but its depths are not those of such a process", p.PID, p.State)
	}
	if (depth > 0) != (p.State == scan.Sandboxed) && p.State != scan.Unknown {
		return fmt.Errorf("pid %d: it is %s at depth %d", p.PID, p.State, depth)
	}
	switch inside := p.State == scan.Sandboxed || p.State == scan.Partial; {
	case restricted && !inside:
		return fmt.Errorf("pid %d: it is %s, but restricts rights", p.PID, p.State)
	case p.RulesUnread && !restricted:
		return fmt.Errorf("pid %d: rules_unread, but not what it restricts", p.PID)
	case inside && !restricted:
		l.unread = append(l.unread, int32(len(s.Processes)))
	}
	p.Depth, p.MaxDepth = uint16(max(0, depth)), uint16(max(0, maxDepth))
	if len(s.Processes) > 0 && s.Processes[len(s.Processes)-1].PID >= p.PID {
		return fmt.Errorf("pid %d does not ascend", p.PID)
	}
	if err := l.tasks(&p, threads, domain); err != nil {
		return fmt.Errorf("pid %d: %w", p.PID, err)
	}
	s.Processes = append(s.Processes, p)
	return nil
}

// tasks completes a process: where the file has none of its tasks, they are all
// as the process is.
func (l *loader) tasks(p *scan.Process, threads int32, domain domainid.ID) error {
	s := l.snap
	if listed := int32(len(s.Tasks)) - p.FirstTask; listed == 0 {
		if len(s.Tasks)+int(threads) > maxTasks {
			return errors.New("too many threads")
		}
		if domain != domainid.None && p.State != scan.Sandboxed || p.State == scan.Partial {
			return fmt.Errorf("it is %s, but its tasks are not listed", p.State)
		}
		for range threads {
			s.Tasks = append(s.Tasks, scan.Task{State: p.State, Reason: p.Reason})
			l.domains = append(l.domains, domain)
		}
	} else if listed != threads {
		return fmt.Errorf("%d threads, but %d tasks", threads, listed)
	}
	p.NumTasks = threads
	var n [4]int32 // by state
	for i, t := range s.TasksOf(p) {
		n[t.State]++
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

func (l *loader) task(value string) error {
	if len(l.snap.Tasks) == maxTasks {
		return errors.New("too many threads")
	}
	var t scan.Task
	var state, reason string
	var domain domainid.ID
	err := object(value,
		required("tid", integer(&t.TID, 1, 1<<31-1)),
		required("start_ns", decimal(&t.Start)),
		required("state", stateWord(&state)),
		required("reason", reasonWord(&reason)),
		required("domain", orNull(identifier(&domain))),
	)
	if err != nil {
		return err
	}
	if t.State, t.Reason, err = stateOf(state, reason); err != nil {
		return err
	}
	if domain != domainid.None && t.State != scan.Sandboxed {
		return fmt.Errorf("tid %d: it is %s, but in a domain", t.TID, t.State)
	}
	l.snap.Tasks = append(l.snap.Tasks, t)
	l.domains = append(l.domains, domain)
	return nil
}

func stateWord(to *string, more ...string) reader {
	return oneOf(to, append(more, "sandboxed", "unsandboxed", "unknown")...)
}

func reasonWord(to *string) reader {
	return orNull(choice(to, "denied", "hidden", "changing", "malformed"))
}

func stateOf(state, reason string) (scan.State, scan.Reason, error) {
	for _, s := range scan.States() {
		if s.String() != state {
			continue
		}
		if reason != "" && s != scan.Unknown {
			return 0, 0, fmt.Errorf("it is %s, but with a reason for %s", s, scan.Unknown)
		}
		for _, r := range scan.Reasons() {
			if r.String() == reason {
				return s, r, nil
			}
		}
		return s, scan.NoReason, nil
	}
	return 0, 0, fmt.Errorf("%.40q is no state", state)
}
