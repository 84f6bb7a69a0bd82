// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// forest is what runs on a host, without what is new after each start: PIDs,
// threads' IDs, times, domain IDs. Snapshots of it are made by snapshot.
type forest struct {
	kernel    scan.Kernel
	source    scan.SourceInfo
	domains   []domainSpec
	processes []*processSpec
}

// domainSpec is one domain, and what a scan finds out of it.
type domainSpec struct {
	parent  int // in forest.domains, or -1
	handled access.Rights
	// everyPort is granted on every port, which is not found out if unread.
	everyPort uint32
	unread    bool
	// unseen: it is not found out what is handled. newer: rights are handled that
	// no program knows yet.
	unseen, newer bool
	// rootless: what it is nested in, if anything, is not found out, or that of a
	// domain that it is nested in.
	rootless bool
}

// processSpec is one process.
type processSpec struct {
	where   workload
	exe     string
	origin  scan.Origin
	young   bool
	parent  *processSpec // nil if that is the first process
	threads []threadSpec
	workers [][2]int // of each worker the places of its credentials
}

// workload is where a process runs.
type workload struct {
	unit string
	// delegated: in a cgroup below the unit's own.
	delegated bool
	// container: in a container, called name in a namespace, or of no name.
	container       bool
	namespace, name string
	// lost: its cgroup is not found out.
	lost bool
}

// threadSpec is one thread.
type threadSpec struct {
	uid uint32
	// place is a domain of forest.domains, or one of the following.
	place int
	// grants is what rules grant everywhere to it, by layer from the outermost.
	grants []uint32
	// blind is why that is not found out, or 0.
	blind domainid.Doubt
	// depth and exact are what is found out of one in a domain that is lost.
	depth uint16
	exact bool
}

// Places without a domain.
const (
	inNone   = -1
	inDark   = -2 // not found out
	inDomain = -3 // in some domain, it is not found out which
)

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// oneIn reports true once in n times, at random.
func oneIn(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

func someForest(r *rand.Rand) *forest {
	abi := pick(r, 1, 2, 3, 4, 6, 6, 7, 9, 11)
	f := &forest{
		kernel: scan.Kernel{Release: "6.1", Landlock: scan.Enabled, ABI: abi, Rights: access.Exactly(access.Supported(abi))},
		source: scan.SourceInfo{Name: "taskiter", IDs: "kernel", Lineage: "known", Rules: "read", Denials: "counters", Runs: "none", PIDNS: "init"},
	}
	if oneIn(r, 8) { // a kernel that lacks what its number promises, or of which that is not known
		f.kernel.Rights.Sure[access.Scope] = 0
		if oneIn(r, 2) {
			f.kernel.Rights.May[access.Scope] = 0
		}
	}
	if oneIn(r, 6) {
		f.source.Rules = "unread"
	} else if oneIn(r, 8) {
		f.source.Name, f.source.Rules, f.source.Lineage = "procattr", "none", "inferred"
	}
	for i := range 1 + r.IntN(6) {
		f.domains = append(f.domains, f.someDomain(r, r.IntN(i+1)-1))
	}
	for range 1 + r.IntN(14) {
		p := f.someProcess(r)
		if n := len(f.processes); n > 0 && oneIn(r, 2) {
			if p.parent = f.processes[r.IntN(n)]; oneIn(r, 2) {
				p.where, p.exe, p.origin = p.parent.where, p.parent.exe, p.parent.origin
			}
		}
		f.processes = append(f.processes, p)
	}
	return f
}

func (f *forest) someDomain(r *rand.Rand, parent int) domainSpec {
	some := access.Rights{access.FS: r.Uint32() & r.Uint32(), access.Net: r.Uint32() & 3, access.Scope: r.Uint32() & 3}
	d := domainSpec{parent: parent, handled: some.Intersect(f.kernel.Rights.May)}
	if d.handled.Empty() {
		d.handled = access.Rights{access.FS: 1 << 2}
	}
	if oneIn(r, 3) {
		d.everyPort = r.Uint32() & 3
	}
	d.unread, d.newer, d.rootless = oneIn(r, 10), oneIn(r, 12), parent < 0 && oneIn(r, 12)
	if parent >= 0 {
		d.rootless = f.domains[parent].rootless
	}
	if d.unseen = oneIn(r, 12) || f.source.Rules == "none"; d.unseen {
		d.newer, d.unread = false, false
	}
	return d
}

func (f *forest) someProcess(r *rand.Rand) *processSpec {
	p := &processSpec{
		exe:    pick(r, "/usr/bin/a", "/usr/bin/b", "/usr/sbin/c", "/usr/sbin/c (deleted)", "/opt/d", "/memfd:e (deleted)", ""),
		origin: pick(r, scan.OfHost, scan.OfHost, scan.OfHost, scan.OfHost, scan.OfImage, scan.OfUser, scan.OriginUnknown),
		young:  oneIn(r, 4),
	}
	switch r.IntN(8) {
	case 0, 1, 2:
		p.where = workload{unit: pick(r, "ua.service", "ub.service", "uc.service"), delegated: oneIn(r, 6)}
	case 3:
		p.where = workload{container: true, namespace: "shop", name: pick(r, "cart", "till")}
	case 4:
		p.where = workload{container: true}
	case 5:
		p.where = workload{lost: oneIn(r, 2)}
	}
	place := f.somePlace(r)
	for range 1 + r.IntN(3) {
		if oneIn(r, 4) {
			place = f.somePlace(r)
		}
		p.threads = append(p.threads, f.someThread(r, place))
	}
	for oneIn(r, 6) {
		p.workers = append(p.workers, [2]int{f.somePlace(r), f.somePlace(r)})
	}
	return p
}

func (f *forest) somePlace(r *rand.Rand) int {
	switch r.IntN(16) {
	case 0, 1:
		return inNone
	case 2:
		return inDark
	case 3:
		return inDomain
	default:
		return r.IntN(len(f.domains))
	}
}

func (f *forest) someThread(r *rand.Rand, place int) threadSpec {
	t := threadSpec{uid: pick[uint32](r, 0, 1000, 1000), place: place}
	switch {
	case place == inDomain:
		t.depth, t.exact = uint16(1+r.IntN(3)), oneIn(r, 2)
	case place >= 0 && f.domains[place].rootless:
		t.blind = domainid.RulesUnread // of layers whose place is not known
	case place >= 0 && oneIn(r, 8):
		t.blind = pick(r, domainid.RulesUnread, domainid.RootChanging, domainid.RootTooDeep, domainid.RootDetached)
	case place >= 0:
		for d := place; d >= 0; d = f.domains[d].parent {
			t.grants = append(t.grants, pick(r, 0, 0, r.Uint32(), 1<<2, ^uint32(0)))
		}
	}
	return t
}

// snapshot returns what a scan finds of the forest: at each call with other
// numbers, and in another order.
func (f *forest) snapshot(r *rand.Rand) (*scan.Snapshot, map[int32]*processSpec) {
	s := &scan.Snapshot{
		Time:   time.Date(2025, 3, 1, 12, 0, r.IntN(60), 0, time.UTC),
		Uptime: time.Hour + time.Duration(r.IntN(1000))*time.Second, Kernel: f.kernel, Source: f.source,
	}
	for _, d := range f.domains {
		s.Domains = append(s.Domains, d.found(r, s.Domains))
	}
	specs := map[int32]*processSpec{}
	pid := int32(10 + r.IntN(1000))
	for _, i := range r.Perm(len(f.processes)) {
		pid += int32(1 + r.IntN(50))
		specs[pid] = f.processes[i]
		f.processes[i].add(r, s, pid)
	}
	f.link(s, specs)
	slices.SortFunc(s.Workloads, func(a, b scan.Workload) int { return cmp.Compare(a.Name, b.Name) })
	for i := range s.Processes {
		p := &s.Processes[i]
		name := specs[p.PID].where.found()
		p.Workload = int32(slices.IndexFunc(s.Workloads, func(w scan.Workload) bool { return w.Name == name.Name && w.Delegated == name.Delegated }))
	}
	if oneIn(r, 2) {
		s.Conclude()
	}
	return s, specs
}

// link makes processes the children of their parents, and none older than its own.
func (f *forest) link(s *scan.Snapshot, specs map[int32]*processSpec) {
	at := map[*processSpec]*scan.Process{}
	for i := range s.Processes {
		at[specs[s.Processes[i].PID]] = &s.Processes[i]
	}
	for _, spec := range f.processes { // parents stand before their children
		if spec.parent != nil {
			p, parent := at[spec], at[spec.parent]
			p.PPID, p.Start = parent.PID, max(p.Start, parent.Start)
		}
	}
}

// found returns the domain as a scan finds it; others are those before it.
func (d *domainSpec) found(r *rand.Rand, others []domainid.Domain) domainid.Domain {
	x := domainid.Domain{
		ID: domainid.ID(r.Uint64()), Parent: int32(d.parent), Depth: 1, Lineage: domainid.LineageKnown,
		Rules: 70000, Handled: d.handled, HandlesOther: d.newer, // more than ports
	}
	if d.parent >= 0 {
		x.Depth += others[d.parent].Depth
	}
	if d.rootless {
		x.Lineage = domainid.LineageInferred
	}
	if !d.unread {
		x.Ruleset = &domainid.Ruleset{EveryPort: d.everyPort}
	}
	if d.unseen {
		x.Handled, x.Ruleset = access.Rights{}, nil
	}
	return x
}

// found returns the workload as a scan finds it, but for its index.
func (w *workload) found() scan.Workload {
	switch {
	case w.lost:
		return scan.Workload{Name: "lost", FullName: "lost"}
	case w.container:
		c := container(w.namespace, w.name)
		c.Name = "container " + w.namespace + w.name
		return c
	case w.unit != "":
		u := unit(w.unit, w.unit)
		if u.Delegated = w.delegated; w.delegated {
			u.Cgroup += "/below"
		}
		return u
	default:
		return program()
	}
}

func (p *processSpec) add(r *rand.Rand, s *scan.Snapshot, pid int32) {
	x := scan.Process{
		PID: pid, PPID: 1, Start: uint64(r.IntN(3000)) * 1e9, Exec: r.Uint64(), ExeOrigin: p.origin,
		UID: p.threads[0].uid, State: p.state(), FirstTask: int32(len(s.Tasks)), NumTasks: int32(len(p.threads)),
		FirstWorker: int32(len(s.Workers)), NumWorkers: int32(len(p.workers)),
	}
	x.SetExe(p.exe, true)
	copy(x.Comm[:15], "comm")
	if x.State == scan.Unknown {
		x.Reason = scan.Denied
	}
	if p.young {
		x.Start = uint64(s.Uptime) - uint64(r.IntN(5))*1e9
	}
	for i, t := range p.threads {
		x.UIDsDiffer = x.UIDsDiffer || t.uid != x.UID
		s.Tasks = append(s.Tasks, t.found(s, pid+int32(i), x.Start))
	}
	for i, w := range p.workers {
		place := func(at int) scan.Place {
			switch {
			case at >= 0:
				return scan.Place{State: scan.Sandboxed, Domain: int32(at)}
			case at == inNone:
				return scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
			case at == inDomain:
				return scan.Place{State: scan.Sandboxed, Domain: domainid.Outermost}
			default:
				return scan.Place{Domain: domainid.Outermost}
			}
		}
		s.Workers = append(s.Workers, scan.Worker{TID: pid + int32(i), Start: x.Start, Real: place(w[0]), Acting: place(w[1])})
	}
	if w := p.where.found(); !slices.ContainsFunc(s.Workloads, func(o scan.Workload) bool {
		return o.Name == w.Name && o.Delegated == w.Delegated
	}) {
		s.Workloads = append(s.Workloads, w)
	}
	s.Processes = append(s.Processes, x)
}

func (t *threadSpec) found(s *scan.Snapshot, tid int32, start uint64) scan.Task {
	x := scan.Task{TID: tid, Domain: domainid.Outermost, View: domainid.NoView, UID: t.uid, Start: start}
	switch {
	case t.place == inNone:
		x.State = scan.Unsandboxed
	case t.place == inDark:
		x.State, x.Reason = scan.Unknown, scan.Denied
	case t.place == inDomain:
		x.State, x.Depth, x.DepthExact = scan.Sandboxed, t.depth, t.exact
	default:
		d := s.Domains[t.place]
		x.State, x.Domain, x.Depth, x.DepthExact = scan.Sandboxed, int32(t.place), d.Depth, d.Lineage == domainid.LineageKnown
		if s.Source.Rules != "read" || t.blind == domainid.RulesUnread {
			break
		}
		x.View = int32(len(s.Views))
		s.Views = append(s.Views, domainid.View{Domain: x.Domain, Everywhere: t.grants, Doubt: t.blind})
	}
	return x
}

func (p *processSpec) state() scan.State {
	var in, none, unknown int
	for _, t := range p.threads {
		switch t.place {
		case inNone:
			none++
		case inDark:
			unknown++
		default:
			in++
		}
	}
	switch {
	case in > 0 && none > 0:
		return scan.Partial
	case unknown > 0:
		return scan.Unknown
	case in > 0:
		return scan.Sandboxed
	default:
		return scan.Unsandboxed
	}
}

// program returns the executable's path, of a deleted one too.
func (p *processSpec) program() string { return strings.TrimSuffix(p.exe, " (deleted)") }
