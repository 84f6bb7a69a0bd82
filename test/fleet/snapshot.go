// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

const (
	// bootTime is how long a host takes from its boot to its daemons.
	bootTime = 3 * time.Second
	// hostUserNS is the inode number of the initial user namespace on every kernel.
	hostUserNS = 0xEFFFFFFD
)

func sortUnits(units []Unit) {
	slices.SortFunc(units, func(a, b Unit) int { return cmp.Compare(a.Name, b.Name) })
}

// snapshot returns what a scan of the host finds, so long after its boot; the
// kernel counted some denials by then.
func (h *Host) snapshot(uptime time.Duration, denied uint64) *scan.Snapshot {
	s := &scan.Snapshot{
		Time: time.Now(), Duration: 3 * time.Millisecond, Uptime: uptime,
		Kernel: h.kernel(),
		Source: scan.SourceInfo{Name: "taskiter", IDs: "kernel", Lineage: "known", Rules: "read", Denials: scan.DenialsCounters, Runs: scan.RunsTracepoints, PIDNS: "init"},
		Passes: 1,
	}
	if !h.NamesDomains {
		s.Source.IDs, s.Source.Denials = "derived", scan.DenialsNone
	}
	if !h.readsRules() {
		s.Source.Rules = "unread"
	}
	if h.Kind != Disabled {
		h.addDomains(s, denied)
	}
	born := bootTime
	if h.Young {
		born = uptime - time.Second
	}
	for i, u := range h.Units {
		s.Workloads = append(s.Workloads, u.workload())
		for state, n := range u.Processes {
			for k := range n {
				in := scan.State(state) == scan.Sandboxed
				h.addProcess(s, process{
					workload: int32(i), state: scan.State(state), born: born,
					ineffective: in && k < u.Ineffective, outside: in && k < u.OutsideWorkers,
				})
			}
		}
	}
	s.TasksRead = len(s.Tasks)
	s.Assets = Assets()
	s.Objects = []domainid.Object{{Asset: 1, Path: "/run/docker.sock", Kind: domainid.ObjectSocket, Parent: -1}}
	s.Conclude()
	return s
}

// kernel is what landlockd knows of the host's from the start.
func (h *Host) kernel() scan.Kernel {
	k := scan.Kernel{Release: h.Release, Landlock: scan.Enabled, ABI: h.ABI, Errata: h.Errata, ErrataKnown: h.NamesDomains}
	if h.Kind == Disabled {
		k = scan.Kernel{Release: h.Release, Landlock: scan.Disabled}
	}
	k.Rights = access.Exactly(access.Supported(k.ABI))
	return k
}

// handled are the rights that every layer of a sandbox handles.
func (h *Host) handled() access.Rights {
	rights := access.Supported(h.ABI)
	if h.FilesOnly {
		rights[access.Net], rights[access.Scope] = 0, 0
	}
	return rights
}

// addDomains makes the domain that effective sandboxes are, nested in as many as
// sandboxed processes are deep, and where rules are read that of ineffective ones.
func (h *Host) addDomains(s *scan.Snapshot, denied uint64) {
	innermost := h.nest(s, h.handled(), 0)
	if h.NamesDomains {
		s.Domains[innermost].Denials = denied
	}
	if h.readsRules() {
		files := access.FS.Rights(access.Supported(h.ABI)[access.FS])
		h.nest(s, files, files[access.FS])
	}
}

// nest adds domains nested in each other and, where rules are read, a view of the
// innermost, which it returns: each handles rights, and grants some on files everywhere.
func (h *Host) nest(s *scan.Snapshot, handled access.Rights, granted uint32) (innermost int32) {
	innermost = domainid.Outermost
	view := domainid.View{}
	for depth := range h.Depth {
		s.Domains = append(s.Domains, domainid.Domain{
			ID: domainid.ID(0x100000000 + uint64(len(s.Domains))), Parent: innermost, Depth: depth + 1,
			Lineage: domainid.LineageKnown, Handled: handled, Rules: domainid.RulesUncounted,
		})
		innermost = int32(len(s.Domains)) - 1
		view.Everywhere = append(view.Everywhere, granted)
	}
	if h.readsRules() {
		s.Domains[innermost].Rules = 1
		view.Domain = innermost
		s.Views = append(s.Views, view)
		denied := domainid.FileRights{Sure: handled[access.FS] &^ granted, May: handled[access.FS] &^ granted}
		s.Scenes = append(s.Scenes, domainid.Scene{
			Domain: innermost, Places: []domainid.Place{{Denied: denied, Below: denied}},
		})
	}
	return innermost
}

// workload is the unit as landlockd finds it.
func (u *Unit) workload() scan.Workload {
	w := scan.Workload{Name: u.Name, FullName: u.Name}
	namespace, container, inPod := strings.Cut(u.Name, "/")
	switch {
	case strings.HasPrefix(u.Name, "container:"):
		w.Kind, w.Cgroup = scan.InContainer, "/system.slice/docker-5ee13d.scope"
		w.Container = &scan.Container{ID: "5ee13d", Runtime: "docker"}
		w.Slice = "system.slice"
	case inPod:
		w.Kind, w.Cgroup = scan.InContainer, "/kubepods.slice/kubepods-pod77b1.slice/cri-containerd-c0ffee.scope"
		w.Container = &scan.Container{ID: "c0ffee", PodUID: "77b1", Runtime: "containerd", Namespace: namespace, Pod: container + "-5d9c7", Name: container}
		w.Slice = "kubepods-pod77b1.slice"
	default:
		w.Kind, w.Unit, w.Slice = scan.Unit, strings.Replace(u.Name, "@.", "@1000.", 1), "system.slice"
		w.FullName, w.Cgroup = w.Unit, "/system.slice/"+w.Unit
	}
	return w
}

// process is one that a host is to have.
type process struct {
	workload int32
	state    scan.State
	born     time.Duration
	// ineffective and outside: see Unit.
	ineffective, outside bool
}

// addProcess appends a process of one task, or of two if it is partial.
func (h *Host) addProcess(s *scan.Snapshot, of process) {
	p := scan.Process{
		PID: int32(100 + len(s.Processes)), PPID: 1, Start: uint64(of.born), State: of.state, Workload: of.workload,
		MountNSOwner: hostUserNS, UserNS: hostUserNS, FirstTask: int32(len(s.Tasks)), NumTasks: 1,
	}
	in := scan.Task{
		TID: p.PID, Start: p.Start, State: scan.Sandboxed, Domain: int32(h.Depth) - 1, View: domainid.NoView,
		Depth: h.Depth, DepthExact: true,
	}
	if s.Views != nil {
		in.View, in.Scene = 0, 1
	}
	if of.ineffective {
		in.Domain, in.View, in.Scene = 2*int32(h.Depth)-1, 1, 2
	}
	out := scan.Task{TID: p.PID, Start: p.Start, State: scan.Unsandboxed, Domain: domainid.Outermost, View: domainid.NoView, DepthExact: true}
	switch of.state {
	case scan.Sandboxed:
		p.Depth, p.MaxDepth, p.NoNewPrivs, p.UID = h.Depth, h.Depth, scan.OfAll, 1000
		in.UID, in.Hardening = p.UID, scan.NoNewPrivs
		s.Tasks = append(s.Tasks, in)
	case scan.Partial:
		p.NumTasks, p.MaxDepth = 2, h.Depth
		in.TID += 100_000
		s.Tasks = append(s.Tasks, out, in)
	case scan.Unknown:
		p.Reason = scan.Denied
		out.State, out.Reason = scan.Unknown, scan.Denied
		s.Tasks = append(s.Tasks, out)
	default:
		s.Tasks = append(s.Tasks, out)
	}
	if of.outside {
		p.FirstWorker, p.NumWorkers = int32(len(s.Workers)), 1
		anywhere := scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
		s.Workers = append(s.Workers, scan.Worker{TID: p.PID + 200_000, Start: p.Start, Real: anywhere, Acting: anywhere})
	}
	s.Processes = append(s.Processes, p)
}
