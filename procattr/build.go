// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"cmp"
	"slices"
	"unique"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// maxPathBytes bounds the memory that executables' paths may take together.
// Beyond it long paths are cut: whoever can start many processes could give each
// a path of its own.
const maxPathBytes = 16 << 20

// builder collects processes, ascending by PID, and makes a snapshot of them.
type builder struct {
	processes []scan.Process
	tasks     []scan.Task
	answers   []answer // of the tasks, one for one
	workers   []scan.Worker
	real      []answer      // of the workers, one for one
	ids       []domainid.ID // of the last process added: its tasks' domains, None for none
	read      int
	passes    int
	pathBytes int

	index   map[domainid.ID]int32
	domains []domainid.Domain
	sizes   struct{ processes, tasks, workers int } // of the last snapshot
}

func newBuilder() builder { return builder{index: map[domainid.ID]int32{}} }

// begin starts a snapshot, in memory of its own: nobody changes it afterwards.
func (b *builder) begin() {
	const slack = 64
	b.processes = make([]scan.Process, 0, b.sizes.processes+b.sizes.processes/8+slack)
	b.tasks = make([]scan.Task, 0, b.sizes.tasks+b.sizes.tasks/8+slack)
	b.workers = nil
	if n := b.sizes.workers; n > 0 {
		b.workers = make([]scan.Worker, 0, n+n/8+slack)
	}
	b.answers, b.real, b.domains = b.answers[:0], b.real[:0], b.domains[:0]
	b.read, b.passes, b.pathBytes = 0, 1, 0
	clear(b.index)
}

// unread adds a process that may not be looked at. Where there is no Landlock,
// it cannot be in a domain either.
func (b *builder) unread(pid int32, uid uint32, landlock scan.Availability) {
	state, reason := scan.Unknown, scan.Denied
	if landlock != scan.Enabled {
		state, reason = scan.Unsandboxed, scan.NoReason
	}
	b.processes = append(b.processes, scan.Process{
		PID: pid, UID: uid, State: state, Reason: reason, FirstTask: int32(len(b.tasks)), NumTasks: 1,
		FirstWorker: int32(len(b.workers)),
	})
	b.tasks = append(b.tasks, scan.Task{
		TID: pid, Domain: domainid.Outermost, View: domainid.NoView, UID: uid,
		State: state, Reason: reason,
	})
	b.answers = append(b.answers, answer{})
	b.read++
}

// add adds a process as it was settled.
func (b *builder) add(pid int32, uid uint32, e *entry, st *stat, f finding, threads []thread) {
	b.passes = max(b.passes, f.tries)
	b.read += len(threads)
	b.ids = b.ids[:0]
	first, firstWorker := len(b.tasks), len(b.workers)
	for i := range threads {
		t := &threads[i]
		if t.worker && !t.dead && !t.exited {
			b.worker(t)
		}
		if !t.lives() {
			continue
		}
		b.tasks = append(b.tasks, scan.Task{
			TID: t.tid, Domain: domainid.Outermost, View: domainid.NoView, UID: t.status.uid, Start: t.start,
			State: t.answer.state, Reason: t.answer.reason, Hardening: t.status.hardening,
		})
		b.answers = append(b.answers, t.answer)
		if t.answer.state != scan.Unknown {
			b.ids = append(b.ids, t.answer.id)
		}
	}
	if len(b.tasks) == first {
		// All that were listed had gone when they were looked at: changing, or
		// unsandboxed where there is no Landlock.
		b.tasks = append(b.tasks, scan.Task{
			TID: pid, Domain: domainid.Outermost, View: domainid.NoView, UID: uid, Start: st.Start,
			State: f.verdict.state(), Reason: f.reason,
		})
		b.answers = append(b.answers, answer{})
	}
	if len(e.path) > scan.CutPath && b.pathBytes+len(e.path) > maxPathBytes {
		// The entry must not keep it whole either.
		e.path, e.cut = unique.Make(e.path[:scan.CutPath]).Value(), true
	}
	b.pathBytes += len(e.path)
	p := scan.Process{
		PID: pid, PPID: st.PPID, Start: st.Start, Exec: e.exec, Comm: st.Comm,
		Exe: e.path, ExeCut: e.cut, ExeDeleted: e.deleted, ExeOrigin: e.origin,
		CgroupID: e.cgroup, CgroupV1ID: e.cgroupV1, UserNS: e.userNS, MountNSOwner: e.mntNSOwner,
		UID:   b.tasks[first].UID,
		State: f.verdict.state(), Reason: f.reason,
		FirstTask: int32(first), NumTasks: int32(len(b.tasks) - first),
		FirstWorker: int32(firstWorker), NumWorkers: int32(len(b.workers) - firstWorker),
	}
	for _, t := range b.tasks[first+1:] {
		p.UIDsDiffer = p.UIDsDiffer || t.UID != p.UID
	}
	p.NoNewPrivs = scan.ExtentOf(b.tasks[first:], scan.NoNewPrivs)
	p.Seccomp = scan.ExtentOf(b.tasks[first:], scan.SeccompStrict|scan.SeccompFilter)
	b.processes = append(b.processes, p)
}

// worker adds a thread that the kernel made for a process. Its file shows one of its
// two sets of credentials; it is not known which domain it acts in.
func (b *builder) worker(t *thread) {
	b.workers = append(b.workers, scan.Worker{
		TID: t.tid, Start: t.start,
		Real:   scan.Place{State: t.answer.state, Domain: domainid.Outermost},
		Acting: scan.Place{State: scan.Unknown, Domain: domainid.Outermost},
	})
	b.real = append(b.real, t.answer)
}

func (v verdict) state() scan.State {
	switch v {
	case unsandboxed:
		return scan.Unsandboxed
	case partial:
		return scan.Partial
	case sandboxed:
		return scan.Sandboxed
	default:
		return scan.Unknown
	}
}

// snapshot finishes: it fills in the domains and the depths.
func (b *builder) snapshot(in *domainid.Inference) *scan.Snapshot {
	for i := range b.answers {
		b.use(b.answers[i].id, in)
	}
	for i := range b.real {
		b.use(b.real[i].id, in)
	}
	// A domain's depth is greater than that of the one it is nested in.
	byDepth := func(x, y domainid.Domain) int { return cmp.Compare(x.Depth, y.Depth) }
	slices.SortStableFunc(b.domains, byDepth)
	for i := range b.domains {
		d := &b.domains[i]
		b.index[d.ID] = int32(i)
		if in == nil {
			continue
		}
		if parent := in.Parent(d.ID); parent != domainid.None {
			d.Parent = b.index[parent]
		}
	}
	for i := range b.tasks {
		if id := b.answers[i].id; id != domainid.None {
			b.tasks[i].Domain = b.index[id]
		}
	}
	for i := range b.workers {
		if id := b.real[i].id; id != domainid.None {
			b.workers[i].Real.Domain = b.index[id]
		}
	}
	for i := range b.processes {
		b.depths(&b.processes[i])
	}
	b.sizes.processes, b.sizes.tasks, b.sizes.workers = len(b.processes), len(b.tasks), len(b.workers)
	snap := &scan.Snapshot{
		Processes: b.processes, Tasks: b.tasks, Workers: b.workers, Domains: slices.Clone(b.domains),
		TasksRead: b.read, Passes: b.passes,
	}
	b.processes, b.tasks, b.workers = nil, nil, nil
	return snap
}

// use adds a domain, and those that it is known to be nested in.
func (b *builder) use(id domainid.ID, in *domainid.Inference) {
	for id != domainid.None {
		if _, found := b.index[id]; found {
			return
		}
		b.index[id] = 0
		d := domainid.Domain{ID: id, Parent: domainid.Outermost, Depth: 1, Rules: domainid.RulesUncounted}
		id = domainid.None
		if in != nil {
			if id = in.Parent(d.ID); id != domainid.None {
				d.Lineage = domainid.LineageInferred
			}
			d.Depth = uint16(in.Depth(d.ID))
		}
		b.domains = append(b.domains, d)
	}
}

// depths fills in the depth of a process's shallowest and deepest task.
func (b *builder) depths(p *scan.Process) {
	shallowest, deepest := ^uint16(0), uint16(0)
	for i := p.FirstTask; i < p.FirstTask+p.NumTasks; i++ {
		t := &b.tasks[i]
		switch {
		case t.State != scan.Sandboxed:
			t.DepthExact = t.State == scan.Unsandboxed
		case t.Domain != domainid.Outermost:
			t.Depth = b.domains[t.Domain].Depth
		default:
			// Without a count there is at least one.
			layers := b.answers[i].layers
			t.Depth, t.DepthExact = max(uint16(layers), 1), layers > 0
		}
		shallowest, deepest = min(shallowest, t.Depth), max(deepest, t.Depth)
	}
	p.MaxDepth = deepest
	if p.State == scan.Sandboxed {
		p.Depth = shallowest
	}
}
