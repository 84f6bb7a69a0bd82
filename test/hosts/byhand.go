// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Host builds a snapshot by hand, by the rules that sources keep.
type Host struct{ scan.Snapshot }

// New is a host without processes.
func New() *Host {
	return &Host{scan.Snapshot{
		Time:     time.Date(2025, 3, 1, 12, 0, 0, 250, time.FixedZone("", 3600)),
		Duration: 1500 * time.Microsecond,
		Kernel: scan.Kernel{Release: "6.15.2-amd64", Landlock: scan.Enabled, ABI: 7,
			Rights: access.Exactly(access.Supported(7))},
		Source: scan.SourceInfo{Name: "taskiter", IDs: "kernel", Lineage: "known", Rules: "unread", Denials: "counters", Runs: "none", PIDNS: "init"},
		Passes: 1,
	}}
}

// Domain adds a domain and returns its index.
func (h *Host) Domain(id domainid.ID, parent int32) int32 {
	d := domainid.Domain{ID: id, Parent: parent, Depth: 1, Lineage: domainid.LineageKnown, Rules: 4, Handled: access.Rights{access.FS: 0xffff, access.Net: 3}}
	if parent >= 0 {
		d.Depth = h.Domains[parent].Depth + 1
	}
	h.Domains = append(h.Domains, d)
	return int32(len(h.Domains) - 1)
}

// View adds a view of a domain and returns its index.
func (h *Host) View(domain int32, everywhere ...uint32) int32 {
	h.Views = append(h.Views, domainid.View{Domain: domain, Everywhere: everywhere})
	return int32(len(h.Views) - 1)
}

// In is a task in a domain.
func In(domain int32) scan.Task {
	return scan.Task{State: scan.Sandboxed, Domain: domain, View: domainid.NoView}
}

// Seen is a task in a domain that has a view of it.
func Seen(domain, view int32) scan.Task {
	return scan.Task{State: scan.Sandboxed, Domain: domain, View: view}
}

// Free is a task in no domain.
func Free() scan.Task {
	return scan.Task{State: scan.Unsandboxed, Domain: domainid.Outermost, View: domainid.NoView}
}

// Unknown is a task of which it could not be found out.
func Unknown(r scan.Reason) scan.Task {
	return scan.Task{State: scan.Unknown, Reason: r, Domain: domainid.Outermost,
		View: domainid.NoView}
}

// As is a task with another user and hardening.
func As(uid uint32, h scan.Hardening, t scan.Task) scan.Task {
	t.UID, t.Hardening = uid, h
	return t
}

// Worker adds a worker to the process that was added last.
func (h *Host) Worker(tid int32, realPlace, acting scan.Place) {
	p := &h.Processes[len(h.Processes)-1]
	p.NumWorkers++
	h.Workers = append(h.Workers,
		scan.Worker{TID: tid, Start: p.Start + 7, Real: realPlace, Acting: acting})
}

// Process adds a process with a task for each argument.
func (h *Host) Process(pid, ppid int32, comm string, tasks ...scan.Task) *scan.Process {
	p := scan.Process{
		PID: pid, PPID: ppid, Start: uint64(pid) * 1_000_000_007, Exec: 1, Exe: "/usr/bin/" + comm, UID: 1000,
		UserNS: 4026531837, MountNSOwner: 4026531837, CgroupID: 1 << 60, FirstTask: int32(len(h.Tasks)), NumTasks: int32(len(tasks)),
		FirstWorker: int32(len(h.Workers)),
	}
	copy(p.Comm[:15], comm)
	for i, t := range tasks {
		t.TID, t.Start = pid+int32(i), p.Start+uint64(i)
		if t.UID == 0 {
			t.UID = p.UID
		}
		switch {
		case t.State == scan.Unsandboxed:
			t.DepthExact = true
		case t.State == scan.Sandboxed && t.Domain < 0:
			t.Depth = 1
		case t.State == scan.Sandboxed:
			d := &h.Domains[t.Domain]
			t.Depth, t.DepthExact = d.Depth, d.Lineage == domainid.LineageKnown
		}
		p.UIDsDiffer = p.UIDsDiffer || t.UID != p.UID
		h.Tasks = append(h.Tasks, t)
	}
	p.NoNewPrivs = scan.ExtentOf(h.TasksOf(&p), scan.NoNewPrivs)
	p.Seccomp = scan.ExtentOf(h.TasksOf(&p), scan.SeccompStrict|scan.SeccompFilter)
	h.TasksRead += len(tasks)
	h.judge(&p)
	h.Processes = append(h.Processes, p)
	return &h.Processes[len(h.Processes)-1]
}

// judge sets what follows from the tasks.
func (h *Host) judge(p *scan.Process) {
	var n [4]int
	least := uint16(0xffff)
	for _, t := range h.TasksOf(p) {
		n[t.State]++
		least, p.MaxDepth = min(least, t.Depth), max(p.MaxDepth, t.Depth)
		if p.Reason == scan.NoReason {
			p.Reason = t.Reason
		}
	}
	switch {
	case n[scan.Sandboxed] > 0 && n[scan.Unsandboxed] > 0:
		p.State, p.Reason = scan.Partial, scan.NoReason
	case n[scan.Unknown] > 0:
		p.State = scan.Unknown
	case n[scan.Sandboxed] > 0:
		p.State, p.Depth = scan.Sandboxed, least
	default:
		p.State = scan.Unsandboxed
	}
}

// Shells is a host with three shells, each nested in the one before, among
// processes that are not sandboxed.
func Shells() *Host {
	h := New()
	a := h.Domain(0x1e67bda0b, domainid.Outermost)
	b := h.Domain(0x1e67bda19, a)
	c := h.Domain(0x1e67bda2c, b)
	h.Domains[b].Denials = 12
	h.Domains[c].Handled = access.Rights{access.Scope: 1}
	h.Process(1, 0, "systemd", Free())
	h.Process(640, 1, "systemd-journald", Free())
	h.Process(812, 1, "sshd", Free())
	h.Process(2290, 812, "sshd", Free())
	h.Process(2301, 2290, "bash", In(a))
	h.Process(2350, 2301, "bash", In(b))
	h.Process(2377, 2350, "bash", In(c))
	h.Process(2390, 2377, "vim", In(c))
	h.Process(2400, 2301, "tail", In(a))
	h.Process(3000, 1, "cron", Free())
	return h
}

// Mixed is a host with everything that a line can show.
func Mixed() *Host {
	h := New()
	a := h.Domain(0x1e67bda0b, domainid.Outermost)
	h.Domains[a].Creator = domainid.Creator{PID: 99, UID: 33, Comm: "launch\x1b[2J", Exe: "/usr/bin/launch\x1b[2J"}
	h.Domains[a].Log = domainid.LogDisabled
	h.Domains[a].Ruleset = &domainid.Ruleset{
		Rules: 9, EveryPort: 2,
		Ports:  []domainid.PortRule{{Port: 53, Net: 3}, {Port: 443, Net: 2}},
		Inodes: []domainid.InodeRule{{Dev: 0x801, Ino: 2, FS: 0xc, FSRoot: true}, {Dev: 0x801, Ino: 1 << 60, FS: 0xffff}}, InodesLeftOut: 5,
	}
	var own [12]int32
	for i := range own {
		own[i] = h.Domain(0x200000000+domainid.ID(i)*16, domainid.Outermost)
	}
	inferred := h.Domain(0x300000001, domainid.Outermost)
	h.Domains[inferred].Lineage = domainid.LineageInferred
	deeper := h.Domain(0x300000002, inferred)
	h.Domains[deeper].Lineage = domainid.LineageInferred
	reads, changing := h.View(a, 0xc), h.View(a)
	h.Views[changing].Doubt = domainid.RootChanging
	idle := h.Domain(0x300000003, domainid.Outermost)
	h.Domains[idle].Handled = access.Rights{access.FS: 4 | access.Refer}
	all := h.View(idle, 0xffff)
	newer := h.Domain(0x300000004, domainid.Outermost)
	h.Domains[newer].Handled, h.Domains[newer].HandlesOther = access.Rights{}, true
	nameless := h.Domain(domainid.None, domainid.Outermost)
	h.Domains[nameless] = domainid.Domain{Parent: domainid.Outermost, Depth: 1}

	h.Process(1, 0, "systemd", Free())
	worker := h.Process(100, 1, "worker", Seen(a, reads), Seen(a, reads), Seen(a, reads), Free())
	worker.Exe = "/opt/worker/bin/python3.12"
	h.Process(101, 100, "child", Seen(a, reads))
	var threads []scan.Task
	for _, d := range own {
		threads = append(threads, In(d))
	}
	h.Process(200, 1, "go-program", threads...)
	h.Process(300, 1, "secret", Unknown(scan.Denied))
	h.Process(310, 1, "moving", In(a), Unknown(scan.Changing), In(a))
	h.Process(400, 1, "guessed", In(deeper))
	h.Process(410, 1, "half-guessed", Free(), In(inferred), In(deeper))
	h.Process(420, 1, "two-depths", In(a), In(own[0]), In(inferred))
	h.Process(430, 1, "nameless", In(nameless), In(nameless))
	h.Process(440, 1, "no-domain", In(domainid.Outermost))
	h.Process(450, 1, "idle", Seen(idle, all))
	h.Process(451, 1, "idle-threads", Seen(idle, all), Seen(a, reads))
	h.Process(452, 1, "newer", In(newer))
	h.Process(460, 1, "ring", Seen(a, reads))
	outside := scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
	h.Worker(461, outside, outside)
	h.Worker(462, scan.Place{State: scan.Sandboxed, Domain: a},
		scan.Place{State: scan.Sandboxed, Domain: a})
	h.Worker(463, scan.Place{State: scan.Sandboxed, Domain: a},
		scan.Place{State: scan.Sandboxed, Domain: idle})
	h.Worker(464, scan.Place{State: scan.Sandboxed, Domain: a},
		scan.Place{Domain: domainid.Outermost})
	h.Process(470, 1, "two-users", As(1000, scan.NoNewPrivs|scan.SeccompFilter, Free()),
		As(1001, 0, Free()))
	h.Process(471, 1, "strict", As(1000, scan.SeccompStrict, Seen(a, changing)))
	h.Process(472, 1, "two-roots", Seen(a, reads), Seen(a, changing))
	h.Process(500, 1, "x\x1b]0;owned\x07", In(a))
	h.Process(501, 1, "a [denied]", In(a)).Exe = "/tmp/\u202egnp.exe\u200b"
	h.Process(502, 1, "└─bash\xff", In(a)).Exe = ""
	h.Process(503, 1, "", In(a)).Exe = "/" + string(slices.Repeat([]byte("long/"), 800))
	h.Process(504, 1, "日本語", In(a))
	h.Source.Rules = "read"
	h.Kernel.Rights.May[access.FS] |= 1 << 16
	h.Kernel.Errata, h.Kernel.ErrataKnown = 5, true
	h.Kernel.Ways, h.Kernel.WaysUnknown = 1, 2
	h.DomainsUnread = 3
	h.NameWorkloads()
	return h
}

// NameWorkloads gives the processes workloads of every kind, with untrusted text.
func (h *Host) NameWorkloads() {
	h.Workloads = []scan.Workload{
		{Name: "container:a", FullName: "container:a", Kind: scan.InContainer, Cgroup: "/docker/0123",
			Container: &scan.Container{ID: "0123", Runtime: "docker", Unnamed: true}},
		{Name: "exe:unreadable", FullName: "exe:unreadable"},
		{Name: "getty@.service", FullName: "getty@tty1.service", Kind: scan.Unit, Cgroup: "/system.slice/system-getty.slice/getty@tty1.service", Unit: "getty@tty1.service", Slice: "system-getty.slice"},
		{Name: "getty@.service", FullName: "getty@tty2.service", Kind: scan.Unit, Cgroup: "/system.slice/system-getty.slice/getty@tty2.service/\xff\x1b\\", Unit: "getty@tty2.service", Slice: "system-getty.slice", Delegated: true},
		{Name: "shop/web", FullName: "shop/web", Kind: scan.InContainer, Cgroup: "/kubepods/x", Container: &scan.Container{PodUID: "uid", Namespace: "shop", Pod: "web-1", Name: "web"}},
		{Name: "user@/a.service", FullName: "user@7/a.service", Kind: scan.UserUnit, Cgroup: "/user.slice/user@7.service/a.service", Unit: "user@7/a.service", Slice: "user.slice"},
		{Name: "x\ufffd", FullName: "x\ufffd", Cgroup: "/"},
	}
	for i := range h.Processes {
		h.Processes[i].Workload = int32(i % len(h.Workloads))
	}
}

// RandomNames makes any snapshot that is consistent in itself, with untrusted names
// and inconsistent parents.
func RandomNames(r *rand.Rand, processes int) *Host {
	h := New()
	if r.IntN(10) == 0 {
		h.Kernel.Landlock, h.Kernel.ABI = scan.Availability(r.IntN(2)), 0
	}
	h.Source.Rules = []string{"read", "unread", "none"}[r.IntN(3)]
	h.Kernel.ErrataKnown, h.Kernel.Errata = r.IntN(2) == 0, r.Uint32()
	for i := range r.IntN(8) {
		d := h.Domain(domainid.ID(r.Uint64()>>r.IntN(64)), int32(r.IntN(i+1))-1)
		h.Domains[d].Lineage = domainid.Lineage(r.IntN(3))
		h.Domains[d].Creator.Comm, h.Domains[d].Creator.Exe = randomBytes(r), randomBytes(r)
		h.Domains[d].Log = domainid.LogStatus(r.IntN(4))
		if r.IntN(2) == 0 {
			h.Domains[d].Ruleset = &domainid.Ruleset{
				Rules: 2, EveryPort: r.Uint32() & 3, Ports: []domainid.PortRule{{Port: 53, Net: 2}},
				Inodes: []domainid.InodeRule{{Dev: 0x801, Ino: r.Uint64(), FS: 4, FSRoot: true}}, InodesLeftOut: 3,
			}
		}
	}
	for d := range h.Domains {
		for range r.IntN(3) {
			if v := h.View(int32(d), r.Uint32()|0xffff); r.IntN(3) == 0 {
				h.Views[v].Everywhere, h.Views[v].Doubt = nil,
					domainid.RootTooDeep|domainid.RulesUnread
			}
		}
	}
	place := func() scan.Place {
		switch r.IntN(4) {
		case 0:
			return scan.Place{Domain: domainid.Outermost}
		case 1:
			return scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
		default:
			return scan.Place{State: scan.Sandboxed, Domain: int32(r.IntN(len(h.Domains)+1)) - 1}
		}
	}
	pid := int32(0)
	for range processes {
		pid += 1 + int32(r.IntN(4))
		var tasks []scan.Task
		for range 1 + r.IntN(4) {
			switch k := r.IntN(4); {
			case k == 0:
				tasks = append(tasks, Unknown(scan.Reasons()[r.IntN(4)]))
			case k == 1:
				tasks = append(tasks, Free())
			default:
				t := In(int32(r.IntN(len(h.Domains)+1)) - 1)
				if view := r.IntN(len(h.Views) + 1); view < len(h.Views) && r.IntN(2) == 0 {
					t = Seen(h.Views[view].Domain, int32(view))
				}
				tasks = append(tasks, t)
			}
			if r.IntN(3) == 0 {
				t := &tasks[len(tasks)-1]
				*t = As(uint32(1000+r.IntN(2)),
					scan.SeccompMode(uint32(r.IntN(3)))|scan.Hardening(r.IntN(2)), *t)
			}
		}
		p := h.Process(pid, int32(r.IntN(int(pid)+8)), randomBytes(r), tasks...)
		p.Start = uint64(r.IntN(3))
		p.Exe = randomBytes(r)
		p.CgroupID, p.UserNS = r.Uint64()*uint64(r.IntN(2)), r.Uint32()*uint32(r.IntN(2))
		for i := range r.IntN(3) {
			h.Worker(pid+int32(100+i), place(), place())
		}
	}
	if r.IntN(2) == 0 {
		h.NameWorkloads()
	}
	return h
}

func randomBytes(r *rand.Rand) string {
	pieces := []string{"bash", "/", " ", "\x1b[31m", "\n", "\u202e", "\u0085", "\xc2", "\xff", "é", "\\", `"`, "\U000e0041", "\x00", "├─"}
	text := ""
	for range r.IntN(5) {
		text += pieces[r.IntN(len(pieces))]
	}
	return text
}

// TwoDomains is a host with two domains that are in either order.
func TwoDomains(swap bool) *scan.Snapshot {
	h := New()
	ids := []domainid.ID{0xa, 0xb}
	if swap {
		slices.Reverse(ids)
	}
	index := map[domainid.ID]int32{}
	for _, id := range ids {
		index[id] = h.Domain(id, domainid.Outermost)
	}
	h.Process(1, 0, "one", In(index[0xb]))
	h.Process(2, 0, "two", In(index[0xa]))
	return &h.Snapshot
}
