// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// fixture is one host whose metrics stand in testdata.
type fixture struct {
	name   string
	scrape Scrape
}

var began = time.Unix(1_750_000_000, 250_000_000)

func fixtures() []fixture {
	return []fixture{
		{"not_built", daemonOf(notBuilt())},
		{"disabled", daemonOf(disabled())},
		{"empty", daemonOf(newSnapshot())},
		{"mixed", daemonOf(mixed())},
		{"assets", daemonOf(reaching())},
		{"deep", daemonOf(deep())},
		{"nested_pidns", daemonOf(nestedPIDNS())},
		{"hostile", hostile()},
		{"failed", failed()},
		{"never_scanned", neverScanned()},
		{"unconfined", unconfined()},
	}
}

func newSnapshot() *scan.Snapshot {
	return &scan.Snapshot{
		Time:     began,
		Duration: 12345 * time.Microsecond,
		Kernel:   kernelOf("6.12.9-amd64", 6),
		Source: scan.SourceInfo{Name: "taskiter", IDs: "derived", Lineage: "known",
			Rules: "unread", Denials: "none", Runs: "none", PIDNS: "init"},
		Passes: 1,
	}
}

// kernelOf has Landlock with all rights of its ABI.
func kernelOf(release string, abi int) scan.Kernel {
	return scan.Kernel{
		Release: release, Landlock: scan.Enabled, ABI: abi,
		Rights: access.Exactly(access.Supported(abi)),
	}
}

// add appends a process with a task for each of states, at the depths given
// for all of them.
func add(s *scan.Snapshot, state scan.State, reason scan.Reason, depth, deepest uint16, tasks ...scan.State) {
	pid := int32(100 + len(s.Processes))
	s.Processes = append(s.Processes, scan.Process{
		PID: pid, State: state, Reason: reason, Depth: depth, MaxDepth: deepest,
		FirstTask: int32(len(s.Tasks)), NumTasks: int32(len(tasks)),
	})
	for i, t := range tasks {
		task := scan.Task{
			TID: pid*100 + int32(i), State: t, Domain: domainid.Outermost, View: domainid.NoView,
		}
		if t == scan.Sandboxed {
			task.Depth, task.DepthExact = depth, true
		}
		s.Tasks = append(s.Tasks, task)
	}
	s.TasksRead += len(tasks)
}

func notBuilt() *scan.Snapshot {
	s := newSnapshot()
	s.Kernel = scan.Kernel{Release: "5.10.0-28-amd64", Landlock: scan.NotBuilt}
	s.Source = scan.SourceInfo{Name: "taskiter", IDs: "none", Lineage: "none", Rules: "none", Denials: "none", Runs: "none", PIDNS: "init"}
	add(s, scan.Unsandboxed, scan.NoReason, 0, 0, scan.Unsandboxed)
	add(s, scan.Unsandboxed, scan.NoReason, 0, 0, scan.Unsandboxed, scan.Unsandboxed)
	return s
}

func disabled() *scan.Snapshot {
	s := notBuilt()
	s.Kernel = scan.Kernel{Release: "6.1.0-13-amd64", Landlock: scan.Disabled}
	return s
}

// The domains of mixed, and its views of them in the same order.
const (
	outer   = iota // restricts writing and binding, and grants reading everywhere
	middle         // in outer: restricts signals
	inner          // in middle: its view is not known
	nothing        // grants everywhere what it handles
)

func mixed() *scan.Snapshot {
	s := newSnapshot()
	s.Source.Rules = "read"
	s.Kernel.Errata, s.Kernel.ErrataKnown = 0b1001, true
	in, out, dark := scan.Sandboxed, scan.Unsandboxed, scan.Unknown
	add(s, out, scan.NoReason, 0, 0, out)
	add(s, out, scan.NoReason, 0, 0, out, out)
	add(s, in, scan.NoReason, 1, 1, in)
	add(s, in, scan.NoReason, 1, 3, in, in, in)
	add(s, in, scan.NoReason, 2, 2, in)
	add(s, scan.Partial, scan.NoReason, 0, 1, in, out, dark)
	add(s, dark, scan.Denied, 0, 0, dark)
	add(s, dark, scan.Denied, 0, 0, dark)
	add(s, dark, scan.Changing, 0, 0, dark, out)
	add(s, in, scan.NoReason, 1, 1, in)
	add(s, in, scan.NoReason, 1, 1, in)
	s.TasksRead += 200 // kernel threads
	s.DomainsUnread = 2
	const read, write, unnamed = 1 << 2, 1 << 1, 1 << 20
	s.Domains = []domainid.Domain{
		outer:   {Parent: domainid.Outermost, Depth: 1, Handled: access.FS.Rights(read | write | unnamed)},
		middle:  {Parent: outer, Depth: 2, Handled: access.Scope.Rights(1 << 1)},
		inner:   {Parent: middle, Depth: 3, Handled: access.FS.Rights(1<<16 - 1)},
		nothing: {Parent: domainid.Outermost, Depth: 1, Handled: access.FS.Rights(read)},
	}
	s.Domains[outer].Handled[access.Net] = 1
	for i := range s.Domains {
		s.Domains[i].ID, s.Domains[i].Lineage = 0x1e67bda0b+domainid.ID(i), domainid.LineageKnown
	}
	s.Views = []domainid.View{
		outer:   {Domain: outer, Everywhere: []uint32{read}},
		middle:  {Domain: middle, Everywhere: []uint32{read, 0}},
		inner:   {Domain: inner, Doubt: domainid.RulesUnread},
		nothing: {Domain: nothing, Everywhere: []uint32{read | access.Refer}},
	}
	put(s, 2, outer)
	put(s, 3, outer, middle, inner)
	put(s, 4, middle)
	put(s, 5, outer)
	put(s, 9, nothing)
	put(s, 10, outer)
	outsider(s, 10, scan.Place{State: out, Domain: domainid.Outermost})
	harden(s)
	name(s, "a.service", "getty@.service", "getty@.service", "ssh.service", "ssh.service",
		"web.service", "other", "dark.service", "dark.service", "vain.service", "vm.service")
	s.Conclude()
	return s
}

// reaching is mixed, and what its processes should be kept from.
func reaching() *scan.Snapshot {
	s := mixed()
	s.Assets = []domainid.Asset{
		{Name: "outside", Signal: true},
		{Name: "sockets", AbstractUnix: true},
		{Name: "secrets", Paths: []string{"/etc/shadow"}, Read: true},
		{Name: "runtime", Unix: []string{"/run/docker.sock"}},
		{Name: "mail", Paths: []string{"/var/mail"}, Write: true},
	}
	s.Objects = []domainid.Object{
		{Asset: 2, Path: "/etc/shadow", Kind: domainid.ObjectFile, Parent: -1},
		{Asset: 3, Path: "/run/docker.sock", Kind: domainid.ObjectSocket, Parent: -1},
		{Asset: 4, Path: "/var/mail", Kind: domainid.ObjectAbsent, Parent: -1},
	}
	denied := domainid.FileRights{Sure: 1 << 2, May: 1 << 2}
	place := domainid.Place{Denied: denied, Below: denied}
	s.Scenes = []domainid.Scene{{Domain: outer, Places: []domainid.Place{place, place, place}}}
	s.TasksOf(&s.Processes[2])[0].Scene = 1
	s.Conclude()
	return s
}

// put puts the first tasks of a process in domains of the snapshot and the view of
// the same number.
func put(s *scan.Snapshot, process int, domains ...int32) {
	for i, d := range domains {
		t := &s.TasksOf(&s.Processes[process])[i]
		t.Domain, t.View, t.Depth = d, d, s.Domains[d].Depth
	}
}

// outsider gives a process, of which no later one has any, a worker that is in a
// place with both of its credentials.
func outsider(s *scan.Snapshot, process int, at scan.Place) {
	p := &s.Processes[process]
	p.FirstWorker, p.NumWorkers = int32(len(s.Workers)), 1
	s.Workers = append(s.Workers, scan.Worker{TID: p.PID*100 + 99, Real: at, Acting: at})
}

// harden gives the processes of mixed what hardening can show of them.
func harden(s *scan.Snapshot) {
	const initNS, otherNS = scan.InitUserNS, 4026532001
	for i := range s.Processes {
		p := &s.Processes[i]
		p.UserNS, p.UID = initNS, uint32(i)
		switch p.State {
		case scan.Sandboxed:
			p.NoNewPrivs = scan.OfAll
		case scan.Partial:
			p.Seccomp, p.UserNS = scan.OfAll, otherNS
		case scan.Unknown:
			p.NoNewPrivs, p.UserNS = scan.OfAll, 0
		}
		for j := range s.TasksOf(p) {
			s.TasksOf(p)[j].UID = p.UID
		}
	}
	// One thread of three is nobody's and under seccomp, and another is root's.
	some := &s.Processes[3]
	some.NoNewPrivs, some.Seccomp, some.UIDsDiffer = scan.OfSome, scan.OfSome, true
	s.TasksOf(some)[1].UID, s.TasksOf(some)[2].UID = 65534, 0
	s.Processes[4].Seccomp, s.Processes[4].UserNS = scan.OfAll, otherNS
}

// name puts each process in a workload of a name.
func name(s *scan.Snapshot, names ...string) {
	for i, n := range names {
		s.Workloads = append(s.Workloads, scan.Workload{Name: n, FullName: n, Cgroup: "/" + n})
		s.Processes[i].Workload = int32(i)
	}
	s.Workloads[len(names)-1].Cgroup = ""
}

func deep() *scan.Snapshot {
	s := newSnapshot()
	s.Kernel = kernelOf("5.15.0-91-generic", 1)
	for _, depth := range []uint16{16, 17, 40, 64} {
		add(s, scan.Sandboxed, scan.NoReason, depth, depth, scan.Sandboxed)
	}
	for depth := range uint16(64) {
		s.Domains = append(s.Domains, domainid.Domain{ID: domainid.ID(depth) + 1, Parent: int32(depth) - 1, Depth: depth + 1})
	}
	return s
}

func nestedPIDNS() *scan.Snapshot {
	s := newSnapshot()
	s.Source = scan.SourceInfo{Name: "procattr", IDs: "kernel", Lineage: "inferred", Rules: "none", Denials: "none", Runs: "none", PIDNS: "nested"}
	add(s, scan.Sandboxed, scan.NoReason, 1, 1, scan.Sandboxed)
	s.Domains = []domainid.Domain{{ID: 1, Parent: domainid.Outermost, Depth: 1, Lineage: domainid.LineageInferred}}
	return s
}

func daemonOf(s *scan.Snapshot) Scrape {
	return Scrape{Snapshot: s, Daemon: &Daemon{
		Scans: scan.Stats{
			Errors:      map[string]uint64{"timeout": 0, "internal": 0, "no_btf": 0},
			LastSuccess: s.Time, Finished: 1, LastDuration: s.Duration,
		},
		Sources:       map[string]string{s.Source.Name: ""},
		Disagreements: func() uint64 { return 3 },
		Confined:      map[string]bool{"landlock": true, "seccomp": false},
		Build: Build{
			Version: "1.2.3", Revision: "0123abcd", Branch: "main", GoVersion: "go1.26",
			GoOS: "linux", GoArch: "amd64", Tags: "unknown",
		},
	}}
}

// hostile has every text that is not the daemon's own full of wrong bytes.
func hostile() Scrape {
	s := newSnapshot()
	s.Kernel.Release = "6.1\xff\"\n\\{}\x00 end"
	s.Source.Name = "\xc3("
	for range 4 {
		add(s, scan.Unsandboxed, scan.NoReason, 0, 0, scan.Unsandboxed)
	}
	// A recorded snapshot can have any names. The last two are one label.
	name(s, "a\"\n\\", "\x00", "b\xff", "b\xfe")
	d := daemonOf(s)
	d.Daemon.Sources = map[string]string{"a\xffb": "c\xfed"}
	d.Daemon.Build.Version = "\xff"
	return d
}

// failed is a scan that failed after one that did not.
func failed() Scrape {
	d := daemonOf(newSnapshot())
	d.Snapshot = nil
	d.Daemon.Scans.Errors["timeout"] = 3
	d.Daemon.Scans.Finished, d.Daemon.Scans.LastDuration = 7, 60*time.Second
	return d
}

// neverScanned is a host without a usable source, before the end of the first scan.
func neverScanned() Scrape {
	d := failed()
	d.Daemon.Scans = scan.Stats{Errors: map[string]uint64{"timeout": 1, "internal": 0, "no_btf": 0}}
	d.Daemon.Sources = map[string]string{"taskiter": "no_btf", "procattr": "no_attribute"}
	return d
}

// unconfined is a host whose daemon is to be confined and is not.
func unconfined() Scrape {
	d := neverScanned()
	d.Daemon.Scans.Errors["not_confined"] = 1
	d.Daemon.Sources = map[string]string{"taskiter": "not_confined"}
	d.Daemon.Confined["landlock"] = false
	d.Daemon.ConfineFailed = map[string]string{"landlock": "too_many_layers", "seccomp": "refused"}
	return d
}
