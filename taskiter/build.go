// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"fmt"
	"slices"
	"unique"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// maxPathBytes bounds the memory that executables' paths may take together.
// Beyond it long paths are left out: whoever can start many processes could
// give each a path of its own.
const (
	maxPathBytes = 16 << 20
	longPath     = 255
)

// build makes the snapshot from the groups that have a verdict and from those
// that never got one.
func (s *Source) build(groups []group) (*scan.Snapshot, error) {
	p := &s.pass
	var processes, tasks int
	for _, g := range groups {
		if g.verdict == outside {
			continue
		}
		live := 0
		for _, o := range p.order[g.lo:g.hi] {
			if s.counts(&p.tasks[uint32(o)]) {
				live++
			}
		}
		if live > 0 {
			processes, tasks = processes+1, tasks+live
		}
	}
	snap := &scan.Snapshot{
		Kernel:    s.state.Kernel,
		Source:    s.state.Info,
		Processes: make([]scan.Process, 0, processes),
		Tasks:     make([]scan.Task, 0, tasks),
	}
	if err := s.buildDomains(groups, snap); err != nil {
		return nil, err
	}
	p.sortExes()
	b := builder{source: s, snap: snap, exes: p.exes}
	if s.last != nil {
		b.last = s.last.Processes
	}
	for _, g := range groups {
		if g.verdict != outside {
			b.add(g, p.records(g))
		}
	}
	return snap, nil
}

// counts says whether a task is evidence: live, and no worker of the kernel's.
func (s *Source) counts(r *taskRecord) bool {
	return r.exitState == 0 && !isWorker(r, s.state.Workers)
}

// builder adds processes to a snapshot, ascending by PID. What is looked up for
// each (the last scan, new paths) is in the same order, so that the search goes
// on where the one before ended.
type builder struct {
	source    *Source
	snap      *scan.Snapshot
	last      []scan.Process
	exes      []exeEntry
	pathBytes int
}

func (b *builder) add(g group, records []taskRecord) {
	firstTask := len(b.snap.Tasks)
	var identity *taskRecord // of the leader, or of a live thread of a dead one
	var start uint64
	var comm scan.Comm // as ps shows it: the leader's, exited or not
	minDepth, maxDepth := ^uint16(0), uint16(0)
	restricted, unread := everyRight, false
	sysPtrace := true
	for i := range records {
		r := &records[i]
		leader := r.bits&taskLeader != 0
		if leader {
			start, comm = r.start, r.comm
		}
		if !b.source.counts(r) {
			continue
		}
		if identity == nil || leader {
			identity = r
		}
		sysPtrace = sysPtrace && r.bits&taskSysPtrace != 0 && r.userNS == scan.InitUserNS
		t := scan.Task{TID: r.tid, Start: r.start, State: scan.Unsandboxed, Domain: domainid.Outermost}
		depth := uint16(0)
		if r.domain != 0 {
			t.State = scan.Sandboxed
			depth = 1 // at least
			if r.bits&taskDoubtful == 0 {
				t.Domain = b.source.index[r.domain]
				depth = b.snap.Domains[t.Domain].Depth
			}
		}
		minDepth, maxDepth = min(minDepth, depth), max(maxDepth, depth)
		if r.domain != 0 {
			rights, read := b.restricted(r, &t)
			restricted = restricted.Intersect(rights)
			unread = unread || !read
		}
		b.snap.Tasks = append(b.snap.Tasks, t)
	}
	if identity == nil {
		return
	}
	if start == 0 {
		start, comm = identity.start, identity.comm
	}
	pr := scan.Process{
		PID: g.pid, PPID: identity.ppid, Start: start, Exec: identity.exec, Comm: comm,
		CgroupID: identity.cgroup, CgroupV1ID: identity.cgroupV1,
		UID: identity.euid, UserNS: identity.userNS, MountNSOwner: identity.mntNSOwner,
		Seccomp: uint8(identity.seccomp), NoNewPrivs: identity.bits&taskNoNewPrivs != 0, SysPtrace: sysPtrace,
		State: g.verdict.state(), MaxDepth: maxDepth,
		FirstTask: int32(firstTask), NumTasks: int32(len(b.snap.Tasks) - firstTask),
	}
	switch pr.State {
	case scan.Sandboxed:
		pr.Depth = minDepth
		pr.Restricted, pr.RulesUnread = restricted, unread
	case scan.Partial:
		pr.Restricted, pr.RulesUnread = restricted, unread
	case scan.Unknown:
		pr.Reason = scan.Changing
		if b.snap.Kernel.Landlock != scan.Enabled {
			// Whatever it does, it cannot be in a domain.
			pr.State, pr.Reason = scan.Unsandboxed, scan.NoReason
		}
	}
	pr.Exe = b.exe(&pr)
	b.snap.Processes = append(b.snap.Processes, pr)
}

// everyRight is what a process without tasks in a domain would restrict.
var everyRight = access.Every()

// restricted returns the rights that a task's domain restricts, and whether that
// follows from its rules, as far as this source reads rules. Where they were not
// read, what is handled stands in.
func (b *builder) restricted(r *taskRecord, t *scan.Task) (rights access.Rights, read bool) {
	if rights, read = b.source.rulebook.restricted(r.view); read {
		return rights, true
	}
	if t.Domain == domainid.Outermost { // it is not known which it is in
		return everyRight, false
	}
	return domainid.Handled(b.snap.Domains, t.Domain), b.source.rules == nil
}

// exe returns the path of a process's executable: from this scan if it came,
// else from the last. If it is in neither, the next scan brings it.
func (b *builder) exe(pr *scan.Process) string {
	for len(b.last) > 0 && b.last[0].PID < pr.PID {
		b.last = b.last[1:]
	}
	for len(b.exes) > 0 && b.exes[0].pid < pr.PID {
		b.exes = b.exes[1:]
	}
	path, found := "", false
	if len(b.last) > 0 {
		if l := &b.last[0]; l.PID == pr.PID && l.Start == pr.Start && l.Exec == pr.Exec {
			path, found = l.Exe, true
		}
	}
	for len(b.exes) > 0 && b.exes[0].pid == pr.PID {
		if e := b.exes[0]; e.exec == pr.Exec {
			text := b.source.pass.paths[e.lo:e.hi]
			found = true
			if string(text) != path {
				path = unique.Make(string(text)).Value()
			}
			b.source.control.know(pr)
		}
		b.exes = b.exes[1:]
	}
	if !found {
		b.source.control.forget(pr.PID)
	}
	if len(path) > longPath && b.pathBytes+len(path) > maxPathBytes {
		path = ""
	}
	b.pathBytes += len(path)
	return path
}

// buildDomains fills in the domains that a live task is in, each behind the one
// that it is nested in, and notes their places in s.index.
func (s *Source) buildDomains(groups []group, snap *scan.Snapshot) error {
	p := &s.pass
	clear(s.index)
	s.used = s.used[:0]
	for _, g := range groups {
		if g.verdict == outside {
			continue
		}
		for _, o := range p.order[g.lo:g.hi] {
			r := &p.tasks[uint32(o)]
			if r.domain == 0 || r.bits&taskDoubtful != 0 || !s.counts(r) {
				continue
			}
			if err := s.use(r); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(s.used, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.described[a].depth, p.described[b].depth), cmp.Compare(a, b))
	})
	snap.Domains = make([]domainid.Domain, len(s.used))
	for i, u := range s.used {
		d := &p.described[u]
		s.index[d.key] = int32(i)
		parent := domainid.Outermost
		if d.parent != 0 {
			parent = s.index[d.parent]
		}
		snap.Domains[i] = domainid.Domain{
			ID: s.nameOf(d.key), Parent: parent, Depth: d.depth, Lineage: domainid.LineageKnown,
			Handled: s.handled(d.mask), Rules: d.rules, Denials: d.denials,
			Log: s.state.Log[d.logStatus], Creator: s.creatorOf(d),
		}
		snap.Domains[i].Ruleset, snap.Domains[i].Creator.Exe = s.rulebook.of(snap.Domains[i].ID)
	}
	s.rulebook.end()
	if s.deriver != nil {
		s.deriver.end()
	}
	s.forgetCreators()
	return nil
}

// use notes a task's domain and all that it is nested in, and checks what holds
// in every kernel: the chain of parents is as long as the domain has layers. If
// it does not hold here, then something else was read than what we believe.
func (s *Source) use(r *taskRecord) error {
	p := &s.pass
	depth := uint16(0)
	for key := r.domain; key != 0; {
		i, ok := p.domains[key]
		if !ok {
			return fmt.Errorf("task %d is in a domain that the pass did not describe", r.tid)
		}
		d := &p.described[i]
		if d.depth == 0 || d.depth > maxLayers || depth != 0 && d.depth != depth-1 || d.parent == 0 && d.depth != 1 {
			return fmt.Errorf("task %d is in a domain of depth %d whose chain of parents has another length", r.tid, d.depth)
		}
		if _, ok := s.index[key]; ok {
			break
		}
		s.index[key] = 0
		s.used = append(s.used, i)
		depth, key = d.depth, d.parent
	}
	return nil
}

// handled decodes a layer's mask. A layer with any filesystem right denies
// refer too, from Linux 5.19 on, but not every kernel stores it so.
func (s *Source) handled(mask uint32) access.Rights {
	r := s.state.Format.decode(mask)
	if s.state.Kernel.ABI >= 2 && r[access.FS] != 0 {
		r[access.FS] |= access.Refer
	}
	return r
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
	c, ok := s.creators[d.key]
	if !ok || c.comm != d.creatorComm {
		c.comm, c.text = d.creatorComm, d.creatorComm.String()
	}
	c.scan = s.scans
	s.creators[d.key] = c
	return domainid.Creator{PID: d.creatorPID, UID: d.creatorUID, Comm: c.text}
}

type creatorName struct {
	comm scan.Comm
	text string
	scan uint64
}

func (s *Source) forgetCreators() {
	for k, c := range s.creators {
		if c.scan != s.scans {
			delete(s.creators, k)
		}
	}
	s.scans++
}
