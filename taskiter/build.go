// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"unique"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/order"
	"github.com/landlockd/landlockd/scan"
)

// maxPathBytes bounds the memory that executables' paths may take together, in the
// passes of a scan and in its snapshot. Beyond it long paths are cut: whoever can
// start many processes could give each a path of its own.
const maxPathBytes = 16 << 20

// build makes the snapshot from the groups that have a verdict and from those
// that never got one.
func (s *Source) build(groups []group) (*scan.Snapshot, error) {
	p := &s.pass
	var processes, tasks int
	for _, g := range groups {
		if g.verdict == outside {
			continue
		}
		live, runs := 0, false
		for _, o := range p.order[g.lo:g.hi] {
			if r := p.record(int(uint32(o))); s.counts(r) {
				live++
				runs = runs || r.Bits&taskLeaving == 0
			}
		}
		if runs {
			processes, tasks = processes+1, tasks+live
		}
	}
	snap := &scan.Snapshot{
		Kernel:    s.state.Kernel,
		Source:    s.state.Info,
		Processes: make([]scan.Process, 0, processes),
		Tasks:     make([]scan.Task, 0, tasks),
	}
	s.views.begin()
	s.scenes.begin()
	if err := s.buildDomains(groups, snap); err != nil {
		return nil, err
	}
	order.By(p.exes, func(a, b exeEntry) int {
		return cmp.Or(cmp.Compare(a.pid, b.pid), cmp.Compare(a.exec, b.exec))
	})
	b := builder{source: s, snap: snap, exes: p.exes}
	s.programs.begin(processes)
	for _, g := range groups {
		if g.verdict != outside {
			b.add(g, p.records(g))
		}
	}
	s.programs.end()
	snap.Views = s.views.all
	snap.Assets, snap.Objects, snap.Scenes = s.assets, s.objects, s.scenes.all
	s.scenes.end(s.spaces.scan)
	snap.Conclude()
	return snap, nil
}

// counts reports whether a task is evidence: live, and no worker of the kernel's.
func (s *Source) counts(r *taskRecord) bool {
	return r.ExitState == 0 && !isWorker(r, s.state.Layout.Workers)
}

// builder adds processes to a snapshot, ascending by PID. What is looked up for
// each (the last scan, new paths) is in the same order, so that the search goes
// on where the one before ended.
type builder struct {
	source    *Source
	snap      *scan.Snapshot
	exes      []exeEntry // the newest program of a process last
	pathBytes int
}

func (b *builder) add(g group, records []taskRecord) {
	firstTask, firstWorker := len(b.snap.Tasks), len(b.snap.Workers)
	// identity is the record of the leader, or of a thread that runs beside one that
	// does not.
	var identity *taskRecord
	var start uint64
	var comm scan.Comm // as ps shows it: the leader's, exited or not
	minDepth, maxDepth := ^uint16(0), uint16(0)
	for i := range records {
		r := &records[i]
		leader := r.Bits&taskLeader != 0
		if leader {
			start, comm = r.Start, r.Comm
		}
		if !b.source.counts(r) {
			if r.ExitState == 0 { // a thread that the kernel made for the process
				b.snap.Workers = append(b.snap.Workers, scan.Worker{
					TID: r.Tid, Start: r.Start,
					Real: b.source.worksIn(r.Domain), Acting: b.source.worksIn(r.Acting),
				})
			}
			continue
		}
		if r.Bits&taskLeaving == 0 && (identity == nil || leader) {
			identity = r
		}
		t := scan.Task{
			TID: r.Tid, Start: r.Start, UID: r.Euid, State: scan.Unsandboxed,
			Domain: domainid.Outermost, View: domainid.NoView, DepthExact: true,
			Hardening: scan.SeccompMode(uint32(r.Seccomp)),
		}
		if r.Bits&taskNoNewPrivs != 0 {
			t.Hardening |= scan.NoNewPrivs
		}
		if r.Domain != 0 {
			t.State = scan.Sandboxed
			t.Depth, t.DepthExact = 1, false // at least
			if r.Bits&taskDoubtful == 0 {
				t.Depth, t.DepthExact = r.Depth, true
				if t.Domain = b.source.place(r.Domain); t.Domain >= 0 {
					t.View = b.source.views.of(&b.source.pass, r, t.Domain)
					t.Scene = b.source.sceneOf(r, t.Domain, b.snap)
				}
			}
		}
		minDepth, maxDepth = min(minDepth, t.Depth), max(maxDepth, t.Depth)
		b.snap.Tasks = append(b.snap.Tasks, t)
	}
	if identity == nil {
		// It exits, or the kernel has not begun its program yet: it runs nobody's process.
		b.snap.Tasks, b.snap.Workers = b.snap.Tasks[:firstTask], b.snap.Workers[:firstWorker]
		return
	}
	if start == 0 {
		start, comm = identity.Start, identity.Comm
	}
	pr := scan.Process{
		PID: g.pid, PPID: identity.Ppid, Start: start, Exec: identity.ExecId, Comm: comm,
		CgroupID: identity.Cgroup, CgroupV1ID: identity.CgroupV1,
		UID: identity.Euid, UserNS: identity.UserNs, MountNSOwner: identity.MntNsOwner,
		State: g.verdict.state(), MaxDepth: maxDepth,
		FirstTask: int32(firstTask), NumTasks: int32(len(b.snap.Tasks) - firstTask),
		FirstWorker: int32(firstWorker), NumWorkers: int32(len(b.snap.Workers) - firstWorker),
	}
	tasks := b.snap.TasksOf(&pr)
	pr.UIDsDiffer = slices.ContainsFunc(tasks, func(t scan.Task) bool { return t.UID != pr.UID })
	pr.NoNewPrivs = scan.ExtentOf(tasks, scan.NoNewPrivs)
	pr.Seccomp = scan.ExtentOf(tasks, scan.SeccompStrict|scan.SeccompFilter)
	if pr.State != scan.Unknown {
		pr.Credentials = b.source.credentialsOf(records, identity)
	}
	switch pr.State {
	case scan.Sandboxed:
		pr.Depth = minDepth
	case scan.Unknown:
		pr.Reason = scan.Changing
		if b.snap.Kernel.Landlock != scan.Enabled {
			// Whatever it does, it cannot be in a domain.
			pr.State, pr.Reason = scan.Unsandboxed, scan.NoReason
		}
	}
	b.setExe(&pr)
	b.snap.Processes = append(b.snap.Processes, pr)
}

// credentialsOf returns those that all live tasks of a process have: none that differ.
func (s *Source) credentialsOf(records []taskRecord, identity *taskRecord) scan.Credentials {
	all, same := ^uint16(0), true
	for i := range records {
		if r := &records[i]; s.counts(r) {
			all &= r.Bits
			same = same && r.Euid == identity.Euid && r.Egid == identity.Egid &&
				r.UserNs == identity.UserNs
		}
	}
	if !same {
		return scan.Credentials{}
	}
	c := scan.Credentials{
		GID: identity.Egid, OneID: all&taskOneID != 0, NoCaps: all&taskNoCaps != 0,
		SysPtrace: all&taskSysPtrace != 0, Dumpable: all&taskDumpable != 0,
	}
	if all&taskOwned != 0 {
		c.Owner = identity.Account
	}
	return c
}

// worksIn returns where credentials are that are in the domain of a key.
func (s *Source) worksIn(key uint64) scan.Place {
	if key == 0 {
		return scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
	}
	return scan.Place{State: scan.Sandboxed, Domain: s.place(key)}
}

// place returns the place of a key's domain in the snapshot, or
// domainid.Outermost if it is not there.
func (s *Source) place(key uint64) int32 {
	if i, ok := s.index[key]; ok {
		return i
	}
	return domainid.Outermost
}

// setExe sets what is known of a process's executable: from this scan if it came,
// else from the last. If it is in neither, the next scan brings it.
func (b *builder) setExe(pr *scan.Process) {
	for len(b.exes) > 0 && b.exes[0].pid < pr.PID {
		b.exes = b.exes[1:]
	}
	found := b.source.programs.recall(pr)
	for len(b.exes) > 0 && b.exes[0].pid == pr.PID {
		if e := b.exes[0]; e.exec == pr.Exec {
			e.set(pr)
			found = true
			b.source.control.know(pr)
		}
		b.exes = b.exes[1:]
	}
	if !found {
		b.source.control.forget(pr)
	}
	if len(pr.Exe) > scan.CutPath && b.pathBytes+len(pr.Exe) > maxPathBytes {
		pr.Exe, pr.ExeCut = unique.Make(pr.Exe[:scan.CutPath]).Value(), true
	}
	b.pathBytes += len(pr.Exe)
	if found {
		b.source.programs.keep(pr)
	}
}

// set sets what a process's executable is.
func (e *exeEntry) set(pr *scan.Process) {
	origin, deleted := ExeOrigin(e.bits)
	pr.SetExe(e.path, deleted)
	pr.ExeCut, pr.ExeOrigin = e.bits&exeLong != 0, origin
}

// buildDomains fills in the domains that a live task is in, each behind the one
// that it is nested in, and notes their places in s.index.
func (s *Source) buildDomains(groups []group, snap *scan.Snapshot) error {
	p := &s.pass
	before := cap(s.used)
	if s.used = again(s.used); cap(s.used) < before {
		s.forgetBurst()
	}
	clear(s.index)
	for _, r := range p.tasksOf(groups) {
		if r.Domain == 0 || r.Bits&taskDoubtful != 0 || r.ExitState != 0 {
			continue
		}
		if err := s.use(r); err != nil {
			return err
		}
	}
	slices.SortFunc(s.used, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.described[a].Depth, p.described[b].Depth), cmp.Compare(a, b))
	})
	snap.Domains = make([]domainid.Domain, len(s.used))
	for i, u := range s.used {
		d := &p.described[u]
		s.index[d.Key] = int32(i)
		parent := domainid.Outermost
		if d.Parent != 0 {
			parent = s.index[d.Parent]
		}
		snap.Domains[i] = domainid.Domain{
			ID: s.nameOf(d.Key), Parent: parent, Depth: d.Depth, Lineage: domainid.LineageKnown,
			Handled: s.handled(d.Mask), HandlesOther: d.Mask&s.state.Format.Other != 0,
			Rules: d.NumRules, Denials: d.Denials,
			Log: s.state.Log[d.LogStatus], Creator: s.creatorOf(d),
		}
		l := s.rulebook.of(snap.Domains[i].ID, d.NumRules)
		switch {
		case l == nil:
		case l.changed: // what was read is no longer so, and it is not known what is
			snap.Domains[i].Handled, snap.Domains[i].HandlesOther = access.Rights{}, false
		default:
			snap.Domains[i].Ruleset, snap.Domains[i].Creator.Exe = l.rules.rules, l.launcher
		}
	}
	s.rulebook.end()
	if s.deriver != nil {
		s.deriver.end()
	}
	maps.DeleteFunc(s.creators, func(_ uint64, c creatorName) bool { return c.scan != s.scans })
	s.scans++
	return nil
}

// use notes a task's domain and all that it is nested in, and checks what holds in
// every kernel: the chain of parents is as long as the domain has layers. If it does
// not hold here, what was read is not what we believe.
func (s *Source) use(r *taskRecord) error {
	p := &s.pass
	depth := uint16(0)
	for key := r.Domain; key != 0; {
		i, ok := p.domains[key]
		if !ok && key == r.Domain {
			return nil // beyond the budgets
		}
		if key == r.Domain && !s.named(r) {
			return nil // described only in a later pass than its task was seen in
		}
		if !ok {
			return fmt.Errorf("task %d is in a domain that the pass did not describe", r.Tid)
		}
		d := &p.described[i]
		if d.Depth == 0 || d.Depth > maxLayers || depth != 0 && d.Depth != depth-1 ||
			d.Parent == 0 && d.Depth != 1 {
			return fmt.Errorf("task %d is in a domain of depth %d whose chain of parents has another length",
				r.Tid, d.Depth)
		}
		if _, ok := s.index[key]; ok {
			break
		}
		s.index[key] = 0
		s.used = append(s.used, i)
		depth, key = d.Depth, d.Parent
	}
	return nil
}

// handled decodes a layer's mask. Not every kernel stores refer, which a layer
// with any right to files denies, too.
func (s *Source) handled(mask uint32) access.Rights {
	return access.Implied(s.state.Format.decode(mask), s.state.Kernel.ABI)
}

// named reports whether a task's domain and all that it is nested in have names.
func (s *Source) named(r *taskRecord) bool {
	return s.deriver == nil || !slices.ContainsFunc(s.chainOf(r), func(key uint64) bool {
		return s.deriver.id(key) == domainid.None
	})
}

// maxLayers is the most that any kernel allowed (64, before Linux 5.19).
const maxLayers = 64

func (s *Source) nameOf(key uint64) domainid.ID {
	if s.deriver != nil {
		return s.deriver.id(key)
	}
	return domainid.ID(key)
}

// creatorOf returns who created a domain. The name is kept from scan to scan.
func (s *Source) creatorOf(d *domainRecord) domainid.Creator {
	if s.state.Layout.Details == absent {
		return domainid.Creator{}
	}
	c, ok := s.creators[d.Key]
	if !ok || c.comm != scan.Comm(d.CreatorComm) {
		c.comm = d.CreatorComm
		c.text = c.comm.String()
	}
	c.scan = s.scans
	s.creators[d.Key] = c
	return domainid.Creator{PID: d.CreatorPid, UID: d.CreatorUid, Comm: c.text}
}

type creatorName struct {
	comm scan.Comm
	text string
	scan uint64
}

// forgetBurst gives back the memory of maps that were much larger: deleting from them
// gives back none.
func (s *Source) forgetBurst() {
	s.index = map[uint64]int32{}
	s.creators = maps.Collect(maps.All(s.creators))
	s.rulebook.layers = maps.Collect(maps.All(s.rulebook.layers))
	s.rulebook.shared.bySum = maps.Collect(maps.All(s.rulebook.shared.bySum))
	s.views, s.scenes = newViews(), newScenes()
	if s.deriver != nil {
		s.deriver.forgetBurst()
	}
}
