// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// random makes any snapshot that a source could return, with untrusted text.
func random(r *rand.Rand) *scan.Snapshot {
	s := &scan.Snapshot{
		Time:      time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).In(time.FixedZone("", 7200)),
		Uptime:    time.Duration(r.Int64N(1 << 56)),
		Duration:  time.Duration(r.Int64N(1 << r.IntN(50))),
		Kernel:    scan.Kernel{Release: randomText(r), Landlock: scan.Enabled, ABI: 1 + r.IntN(12)},
		Source:    scan.SourceInfo{Name: pick(r, "taskiter", "procattr", "both"), IDs: pick(r, "kernel", "derived", "none"), Lineage: pick(r, "known", "inferred", "none"), Rules: pick(r, "read", "unread", "none"), Denials: pick(r, "counters", "none"), Runs: pick(r, "tracepoints", "none"), PIDNS: pick(r, "init", "nested")},
		TasksRead: r.IntN(1 << 20),
		Passes:    1 + r.IntN(3),
		Part:      r.IntN(3) == 0,
	}
	s.Kernel.Rights = access.Exactly(access.Rights{access.FS: r.Uint32(),
		access.Net: r.Uint32() & 3})
	maybe := access.Rights{access.FS: r.Uint32() & r.Uint32(), access.Scope: r.Uint32() & 3}
	s.Kernel.Rights.May = s.Kernel.Rights.May.Union(maybe)
	s.Kernel.Ways, s.Kernel.WaysUnknown = access.Ways(r.Uint32()&3), access.Ways(r.Uint32()&3)
	s.DomainsUnread = r.IntN(3)
	if s.Kernel.ErrataKnown = r.IntN(2) == 0; s.Kernel.ErrataKnown {
		s.Kernel.Errata = r.Uint32() & 7
	}
	if r.IntN(10) == 0 {
		s.Kernel.Landlock, s.Kernel.ABI = scan.Availability(r.IntN(2)), 0
	}
	for range r.IntN(4) {
		s.Workloads = append(s.Workloads, randomWorkload(r))
	}
	slices.SortFunc(s.Workloads, func(a, b scan.Workload) int { return strings.Compare(a.Name, b.Name) })
	rulesets := randomRulesets(r)
	for i := range r.IntN(8) {
		s.Domains = append(s.Domains, randomDomain(r, s, i))
		s.Domains[i].Ruleset = pick(r, rulesets...)
		for range r.IntN(3) {
			s.Views = append(s.Views, randomView(r, s, int32(i)))
		}
	}
	randomAssets(r, s)
	for pid := int32(1 + r.IntN(3)); len(s.Processes) < 12; pid += 1 + int32(r.IntN(1000)) {
		s.Processes = append(s.Processes, randomProcess(r, s, pid))
		if r.IntN(9) == 0 {
			break
		}
	}
	s.Conclude()
	return s
}

// randomAssets adds assets, objects, and scenes of the domains.
func randomAssets(r *rand.Rand, s *scan.Snapshot) {
	some := func() (all []string) {
		for range r.IntN(3) {
			all = append(all, randomText(r))
		}
		return all
	}
	is := func() bool { return r.IntN(2) == 0 }
	for i := range r.IntN(3) {
		a := domainid.Asset{Name: strings.Repeat("a", i+1), Paths: some(), Unix: some(), Read: is(), Write: is(),
			Connect: is(), Bind: is(), Signal: is(), AbstractUnix: is()}
		for range r.IntN(3) {
			a.TCP = append(a.TCP, uint16(r.Uint32()))
		}
		s.Assets = append(s.Assets, a)
	}
	for range r.IntN(4) {
		s.Objects = append(s.Objects, domainid.Object{Asset: int32(r.IntN(len(s.Assets)+1)) - 1,
			Path: randomText(r), Kind: domainid.ObjectKind(r.IntN(5)), Parent: int32(r.IntN(len(s.Objects)+1)) - 1})
	}
	rights := func() domainid.FileRights {
		may := r.Uint32()
		return domainid.FileRights{Sure: may & r.Uint32(), May: may}
	}
	for d := range s.Domains {
		for range r.IntN(3) {
			scene := domainid.Scene{Domain: int32(d)}
			for range s.Objects {
				scene.Places = append(scene.Places, domainid.Place{Denied: rights(), Below: rights(),
					Doubt: domainid.Unplaced * domainid.Doubt(r.IntN(2))})
			}
			s.Scenes = append(s.Scenes, scene)
		}
	}
}

// randomSceneOf returns a scene of a domain, or NoScene.
func randomSceneOf(r *rand.Rand, s *scan.Snapshot, domain int32) int32 {
	scene := domainid.NoScene
	for i := range s.Scenes {
		if s.Scenes[i].Domain == domain && r.IntN(3) > 0 {
			scene = int32(i) + 1
		}
	}
	return scene
}

func randomView(r *rand.Rand, s *scan.Snapshot, domain int32) domainid.View {
	v := domainid.View{Domain: domain}
	if r.IntN(4) == 0 {
		v.Doubt = pick(r, domainid.RulesUnread, domainid.RootChanging,
			domainid.RootTooDeep|domainid.RootDetached)
		return v
	}
	for range r.IntN(int(s.Domains[domain].Depth) + 1) {
		v.Everywhere = append(v.Everywhere, r.Uint32()|r.Uint32())
	}
	return v
}

func randomPlace(r *rand.Rand, s *scan.Snapshot) scan.Place {
	p := scan.Place{State: pick(r, scan.Unknown, scan.Unsandboxed, scan.Sandboxed, scan.Sandboxed),
		Domain: domainid.Outermost}
	if p.State == scan.Sandboxed {
		p.Domain = int32(r.IntN(len(s.Domains)+1)) - 1
	}
	return p
}

func randomDomain(r *rand.Rand, s *scan.Snapshot, i int) domainid.Domain {
	d := domainid.Domain{
		ID: domainid.ID(r.Uint64()>>1<<3 | uint64(i) + 1), Parent: int32(r.IntN(i+1)) - 1, Depth: uint16(1 + r.IntN(3)),
		Lineage: domainid.Lineage(r.IntN(3)), Rules: r.Uint32(), Denials: r.Uint64() >> r.IntN(64),
		Handled: access.Rights{access.FS: r.Uint32() >> r.IntN(32), access.Net: r.Uint32() >> r.IntN(32), access.Scope: r.Uint32() & 3},
	}
	d.Log = domainid.LogStatus(r.IntN(4))
	if d.Parent >= 0 {
		d.Depth += s.Domains[d.Parent].Depth
	}
	if r.IntN(3) == 0 {
		d.Creator = domainid.Creator{PID: r.Int32(), UID: r.Uint32(), Comm: randomText(r), Exe: randomText(r)}
	}
	if r.IntN(5) == 0 {
		d.Rules, d.Handled = domainid.RulesUncounted, access.Rights{}
	}
	d.HandlesOther = r.IntN(6) == 0
	return d
}

// randomProcess adds the tasks of a process and returns it.
func randomProcess(r *rand.Rand, s *scan.Snapshot, pid int32) scan.Process {
	p := scan.Process{
		PID: pid, PPID: int32(r.IntN(int(pid))), Start: r.Uint64() >> r.IntN(64), Exec: r.Uint64() >> r.IntN(64), Exe: randomText(r),
		ExeDeleted: r.IntN(2) == 0, ExeOrigin: scan.Origin(r.IntN(4)),
		CgroupID: r.Uint64() * uint64(r.IntN(2)), CgroupV1ID: r.Uint64() * uint64(r.IntN(2)), UID: r.Uint32(),
		UserNS: r.Uint32() * uint32(r.IntN(2)), MountNSOwner: r.Uint32() * uint32(r.IntN(2)),
		FirstTask: int32(len(s.Tasks)), NumTasks: int32(1 + r.IntN(4)),
		FirstWorker: int32(len(s.Workers)), NumWorkers: int32(max(0, r.IntN(5)-2)),
		Workload: int32(r.IntN(len(s.Workloads)+1)) - 1,
	}
	for i := range p.NumWorkers {
		s.Workers = append(s.Workers,
			scan.Worker{TID: pid + 7 + i, Start: r.Uint64(), Real: randomPlace(r, s),
				Acting: randomPlace(r, s)})
	}
	if r.IntN(3) == 0 {
		p.Exe, p.ExeCut = p.Exe+strings.Repeat("x", scan.CutPath), true
	}
	copy(p.Comm[:len(scan.Comm{})-1], randomText(r))
	alike := r.IntN(2) == 0
	var n [4]int32
	least := ^uint16(0)
	for i := range p.NumTasks {
		t := scan.Task{TID: pid + i, Start: p.Start + uint64(i), State: scan.State(r.IntN(4)),
			Domain: domainid.Outermost, View: domainid.NoView, UID: p.UID}
		if r.IntN(2) == 0 {
			t.Hardening = scan.SeccompMode(uint32(r.IntN(3))) | scan.Hardening(r.IntN(2))
		}
		if r.IntN(4) == 0 {
			t.UID = r.Uint32() & 1
		}
		if alike && i > 0 {
			t = s.Tasks[len(s.Tasks)-1]
			t.TID++
		} else if t.State == scan.Partial {
			t.State = scan.Sandboxed
		}
		switch t.State {
		case scan.Unsandboxed:
			t.DepthExact = true
		case scan.Unknown:
			if t.Reason == scan.NoReason {
				t.Reason = scan.Reasons()[r.IntN(4)]
			}
		case scan.Sandboxed:
			if !alike || i == 0 {
				t.Domain = int32(r.IntN(len(s.Domains)+1)) - 1
				t.View, t.Scene = randomViewOf(r, s, t.Domain), randomSceneOf(r, s, t.Domain)
				t.Depth, t.DepthExact = uint16(1+r.IntN(9)), r.IntN(2) == 0
			}
			if t.Domain >= 0 {
				t.Depth, t.DepthExact = s.Domains[t.Domain].Depth,
					s.Domains[t.Domain].Lineage == domainid.LineageKnown
			}
		}
		n[t.State]++
		least, p.MaxDepth = min(least, t.Depth), max(p.MaxDepth, t.Depth)
		p.UIDsDiffer = p.UIDsDiffer || t.UID != p.UID
		s.Tasks = append(s.Tasks, t)
	}
	switch {
	case r.IntN(8) == 0: // what was read of it does not add up
		p.State, p.Reason = scan.Unknown, scan.Changing
	case n[scan.Sandboxed] > 0 && n[scan.Unsandboxed] > 0:
		p.State = scan.Partial
	case n[scan.Unknown] > 0:
		p.State, p.Reason = scan.Unknown, scan.Denied
	case n[scan.Sandboxed] > 0:
		p.State, p.Depth = scan.Sandboxed, least
	default:
		p.State = scan.Unsandboxed
	}
	p.NoNewPrivs = scan.ExtentOf(s.TasksOf(&p), scan.NoNewPrivs)
	p.Seccomp = scan.ExtentOf(s.TasksOf(&p), scan.SeccompStrict|scan.SeccompFilter)
	return p
}

// randomViewOf returns a view of a domain, or NoView.
func randomViewOf(r *rand.Rand, s *scan.Snapshot, domain int32) int32 {
	view := domainid.NoView
	for v := range s.Views {
		if s.Views[v].Domain == domain && r.IntN(3) > 0 {
			view = int32(v)
		}
	}
	return view
}

// randomRulesets are a few that domains share, and nil.
func randomRulesets(r *rand.Rand) []*domainid.Ruleset {
	all := []*domainid.Ruleset{nil}
	for range r.IntN(4) {
		rs := &domainid.Ruleset{
			Rules: r.Uint32(), EveryPort: r.Uint32() & 3,
			PortsLeftOut: r.Uint32() >> r.IntN(32), InodesLeftOut: r.Uint32() >> r.IntN(32),
		}
		for port := range r.IntN(4) {
			rs.Ports = append(rs.Ports, domainid.PortRule{Port: uint16(port*20000 + r.IntN(5000)), Net: r.Uint32() & 3})
		}
		for range r.IntN(4) {
			rs.Inodes = append(rs.Inodes, domainid.InodeRule{
				Dev: unix.Mkdev(uint32(r.IntN(4096)), uint32(r.IntN(1<<20))), Ino: r.Uint64() >> r.IntN(64), FS: r.Uint32() >> r.IntN(32), FSRoot: r.IntN(2) == 0,
			})
		}
		all = append(all, rs)
	}
	return all
}

func randomWorkload(r *rand.Rand) scan.Workload {
	w := scan.Workload{
		Name: pick(r, "a.service", "b@.service", "ns/c", "d e"), FullName: pick(r, "a.service", "b@1.service"), Kind: scan.WorkloadKind(r.IntN(4)),
		Cgroup: randomText(r), Unit: randomText(r), Slice: randomText(r), Delegated: r.IntN(2) == 0,
	}
	if w.Kind == scan.InContainer {
		w.Container = &scan.Container{ID: randomText(r), PodUID: randomText(r), Runtime: randomText(r), Namespace: randomText(r), Pod: randomText(r), Name: randomText(r)}
		if r.IntN(2) == 0 {
			w.Container.Name, w.Container.Unnamed = "", r.IntN(2) == 0
		}
	}
	return w
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomText(r *rand.Rand) string {
	text := ""
	for range r.IntN(5) {
		text += pick(r, "bash", "/", " ", "\x1b[31m", "\n", "\u202e", "\u0085", "\xc2", "\xff", "é", "\\", `"`, "\U000e0041", "\x00", "\\xff", "\ufffd", "<&>\u2028")
	}
	return text
}

func encode(t testing.TB, s *scan.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
