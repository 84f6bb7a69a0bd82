// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"cmp"
	"slices"
	"unique"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/order"
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
	b.processes, b.tasks = room[scan.Process](b.sizes.processes), room[scan.Task](b.sizes.tasks)
	b.workers = nil
	if n := b.sizes.workers; n > 0 {
		b.workers = room[scan.Worker](n)
	}
	b.answers, b.real, b.domains = b.answers[:0], b.real[:0], b.domains[:0]
	b.read, b.passes, b.pathBytes = 0, 1, 0
	clear(b.index)
	b.index[domainid.None] = domainid.Outermost
}

// room returns memory for as many as there were, and some more.
func room[T any](n int) []T {
	const slack = 64
	return make([]T, 0, n+n/8+slack)
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
			// Its file shows one of its two sets of credentials; it is not known which
			// domain it acts in.
			b.workers = append(b.workers, scan.Worker{
				TID: t.tid, Start: t.start,
				Real:   scan.Place{State: t.answer.state, Domain: domainid.Outermost},
				Acting: scan.Place{State: scan.Unknown, Domain: domainid.Outermost},
			})
			b.real = append(b.real, t.answer)
		}
		if !t.lives() {
			continue
		}
		b.task(t)
		if t.answer.state != scan.Unknown {
			b.ids = append(b.ids, t.answer.id)
		}
	}
	if len(b.tasks) == first {
		// All that were listed had gone when they were looked at: changing, or
		// unsandboxed where there is no Landlock.
		b.task(&thread{
			tid: pid, start: st.Start, status: status{uid: uid},
			answer: answer{state: states[f.verdict], reason: f.reason},
		})
	}
	if len(e.path) > scan.CutPath && b.pathBytes+len(e.path) > maxPathBytes {
		// The entry must not keep it whole either.
		e.path, e.cut = unique.Make(e.path[:scan.CutPath]).Value(), true
	}
	b.pathBytes += len(e.path)
	tasks := b.tasks[first:]
	user := tasks[0].UID
	b.processes = append(b.processes, scan.Process{
		PID: pid, PPID: st.PPID, Start: st.Start, Exec: e.exec, Comm: st.Comm,
		Exe: e.path, ExeCut: e.cut, ExeDeleted: e.deleted, ExeOrigin: e.origin,
		CgroupID: e.cgroup, CgroupV1ID: e.cgroupV1, UserNS: e.userNS, MountNSOwner: e.mntNSOwner,
		UID:        user,
		UIDsDiffer: slices.ContainsFunc(tasks, func(t scan.Task) bool { return t.UID != user }),
		NoNewPrivs: scan.ExtentOf(tasks, scan.NoNewPrivs),
		Seccomp:    scan.ExtentOf(tasks, scan.SeccompStrict|scan.SeccompFilter),
		State:      states[f.verdict], Reason: f.reason,
		FirstTask: int32(first), NumTasks: int32(len(tasks)),
		FirstWorker: int32(firstWorker), NumWorkers: int32(len(b.workers) - firstWorker),
	})
}

// task adds a thread of the process.
func (b *builder) task(t *thread) {
	b.tasks = append(b.tasks, scan.Task{
		TID: t.tid, Domain: domainid.Outermost, View: domainid.NoView, UID: t.status.uid, Start: t.start,
		State: t.answer.state, Reason: t.answer.reason, Hardening: t.status.hardening,
	})
	b.answers = append(b.answers, t.answer)
}

// states are those that verdicts mean; of all others, scan.Unknown.
var states = [...]scan.State{
	unsandboxed: scan.Unsandboxed, partial: scan.Partial, sandboxed: scan.Sandboxed,
}

// snapshot finishes: it fills in the domains and the depths.
func (b *builder) snapshot(in *domainid.Inference) *scan.Snapshot {
	for _, answers := range [...][]answer{b.answers, b.real} {
		for i := range answers {
			b.use(answers[i].id, in)
		}
	}
	// A domain's depth is greater than that of the one it is nested in.
	byDepth := func(x, y domainid.Domain) int { return cmp.Compare(x.Depth, y.Depth) }
	order.StableBy(b.domains, byDepth)
	for i := range b.domains {
		d := &b.domains[i]
		b.index[d.ID] = int32(i)
		d.Parent = b.index[in.Parent(d.ID)]
	}
	for i := range b.tasks {
		b.tasks[i].Domain = b.index[b.answers[i].id]
	}
	for i := range b.workers {
		b.workers[i].Real.Domain = b.index[b.real[i].id]
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
	for {
		if _, found := b.index[id]; found {
			return
		}
		b.index[id] = 0
		d := domainid.Domain{ID: id, Depth: uint16(in.Depth(id)), Rules: domainid.RulesUncounted}
		if id = in.Parent(id); id != domainid.None {
			d.Lineage = domainid.LineageInferred
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
