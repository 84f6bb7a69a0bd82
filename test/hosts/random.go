// SPDX-License-Identifier: Apache-2.0

// Package hosts makes up hosts as a source could find them: every state, lineages
// that are known in part, rules that are read in part, threads that differ, workers.
package hosts

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// hostMaker makes up hosts as a source could find them, from what tasks are in.
type hostMaker struct {
	*rand.Rand
	s *scan.Snapshot
	// vain: most sandboxes of the host restrict nothing.
	vain bool
}

// empty has a kernel that restricts whatever it can.
func empty() *scan.Snapshot {
	return &scan.Snapshot{
		Time: time.Unix(1e9, 0), Uptime: time.Hour, Duration: time.Millisecond, Passes: 1,
		Kernel: scan.Kernel{
			Release: "6.12.9-amd64", Landlock: scan.Enabled, ABI: 6, Rights: access.Exactly(access.Supported(6)),
		},
		Source: scan.SourceInfo{
			Name: "taskiter", IDs: "derived", Lineage: "known", Rules: "unread", Denials: "none", Runs: "none", PIDNS: "init",
		},
	}
}

// Random returns a host that a seed stands for.
func Random(seed uint64) *scan.Snapshot {
	m := hostMaker{Rand: rand.New(rand.NewPCG(seed, 13)), s: empty()}
	m.vain = m.one(4)
	m.kernel()
	for range m.IntN(10) {
		m.domain()
	}
	for i := range m.s.Domains {
		for range 1 + m.IntN(2) {
			m.view(int32(i))
		}
	}
	for i := range 1 + m.IntN(40) {
		m.s.Workloads = append(m.s.Workloads, scan.Workload{Name: fmt.Sprintf("w%d", i/2)})
	}
	for range m.IntN(60) {
		m.process()
	}
	m.s.Assets = []domainid.Asset{{Name: "signals", Signal: true}, {Name: "sockets", AbstractUnix: true}}
	if m.IntN(2) == 0 { // a reader of a snapshot that is not concluded finds the same
		m.s.Conclude()
	}
	return m.s
}

// one reports true once in n times.
func (m *hostMaker) one(n int) bool { return m.IntN(n) == 0 }

func (m *hostMaker) kernel() {
	k := &m.s.Kernel
	k.ABI = []int{1, 2, 4, 6, 8}[m.IntN(5)]
	// Some lack a right, or do not say of one.
	k.Rights.May = m.some(access.Supported(k.ABI))
	k.Rights.Sure = m.some(k.Rights.May)
	k.Errata, k.ErrataKnown = m.Uint32(), m.one(2)
	switch {
	case m.one(8):
		*k = scan.Kernel{Release: k.Release, Landlock: scan.Disabled}
		m.s.Source.Rules = "none"
	case m.one(8):
		m.s.Source.Rules = "none"
	case k.ABI > 1:
		m.s.Source.Rules = "read"
	}
}

// some returns most rights of a set.
func (m *hostMaker) some(set access.Rights) access.Rights {
	for c := range set {
		set[c] &^= 1 << m.IntN(20)
	}
	return set
}

func (m *hostMaker) domain() {
	if m.s.Kernel.Landlock != scan.Enabled {
		return
	}
	d := domainid.Domain{
		ID: domainid.ID(len(m.s.Domains) + 1), Parent: domainid.Outermost, Depth: 1,
		Lineage: domainid.LineageKnown, Rules: domainid.RulesUncounted,
		HandlesOther: !m.vain && m.one(12),
	}
	if n := len(m.s.Domains); n > 0 && m.one(2) {
		d.Parent = int32(m.IntN(n))
		d.Depth = m.s.Domains[d.Parent].Depth + 1
	}
	if m.one(10) { // not all of its layers are known
		d.Depth, d.Lineage = d.Depth+1, domainid.LineageInferred
	}
	supported := access.Supported(m.s.Kernel.ABI)
	switch m.IntN(3) {
	case 0:
		d.Handled = supported
	case 1:
		d.Handled[access.FS] = 1 << m.IntN(13)
	default:
		d.Handled = m.some(supported)
	}
	if m.vain {
		d.Handled[access.Net], d.Handled[access.Scope] = 0, 0
	}
	switch m.IntN(3) {
	case 0:
		d.Ruleset = &domainid.Ruleset{EveryPort: d.Handled[access.Net] & m.Uint32()}
	case 1:
		d.Rules = uint32(m.IntN(1000))
	}
	m.s.Domains = append(m.s.Domains, d)
}

// view has one that often grants everything.
func (m *hostMaker) view(domain int32) {
	if m.s.Source.Rules != "read" {
		return
	}
	v := domainid.View{Domain: domain}
	if !m.vain && m.one(6) {
		v.Doubt = domainid.RulesUnread
		m.s.Views = append(m.s.Views, v)
		return
	}
	for range m.s.Domains[domain].Depth {
		granted := ^uint32(0)
		if !m.vain && m.one(3) {
			granted = m.Uint32()
		}
		v.Everywhere = append(v.Everywhere, granted)
	}
	m.s.Views = append(m.s.Views, v)
}

func (m *hostMaker) process() {
	p := scan.Process{
		PID: int32(100 + 50*len(m.s.Processes)), Workload: int32(m.IntN(len(m.s.Workloads))),
		FirstTask: int32(len(m.s.Tasks)), UserNS: scan.InitUserNS + uint32(m.IntN(2)),
		FirstWorker: int32(len(m.s.Workers)),
	}
	kind := m.IntN(4)
	if m.vain && !m.one(4) {
		kind = 0
	}
	for i := range 1 + m.IntN(4) {
		t := m.task(kind)
		t.TID, t.UID, t.Hardening = p.PID+int32(i), uint32(m.IntN(4))/3*1000, scan.Hardening(m.IntN(8))
		if m.one(2) && i > 0 {
			last := m.s.Tasks[len(m.s.Tasks)-1]
			t.UID, t.Hardening = last.UID, last.Hardening
		}
		m.s.Tasks = append(m.s.Tasks, t)
		p.NumTasks++
	}
	for range m.IntN(3) * m.IntN(2) {
		w := scan.Worker{TID: p.PID + 40, Real: m.place(), Acting: m.place()}
		m.s.Workers = append(m.s.Workers, w)
		p.NumWorkers++
	}
	m.s.Processes = append(m.s.Processes, p)
	conclude(m.s, &m.s.Processes[len(m.s.Processes)-1])
}

// task returns one in a domain, in none, or as it may be.
func (m *hostMaker) task(kind int) scan.Task {
	t := scan.Task{
		State: scan.Unsandboxed, Domain: domainid.Outermost, View: domainid.NoView, DepthExact: true,
	}
	if m.s.Kernel.Landlock != scan.Enabled {
		return t
	}
	if kind == 2 && m.one(2) {
		t.State, t.Reason = scan.Unknown, scan.Reasons()[m.IntN(4)]
	}
	if kind == 0 || kind == 3 && m.one(2) {
		t.State, t.Depth, t.DepthExact = scan.Sandboxed, uint16(1+m.IntN(2)), m.one(2)
		if len(m.s.Domains) > 0 && !m.one(20) {
			t.Domain = int32(m.IntN(len(m.s.Domains)))
			d := &m.s.Domains[t.Domain]
			t.Depth, t.DepthExact = d.Depth, d.Lineage == domainid.LineageKnown
			t.View = m.viewOf(t.Domain)
		}
	}
	return t
}

// viewOf returns a view of a domain, if there is one, or now and then none.
func (m *hostMaker) viewOf(domain int32) int32 {
	for i := range m.s.Views {
		if m.s.Views[i].Domain == domain && (m.vain || !m.one(4)) {
			return int32(i)
		}
	}
	return domainid.NoView
}

func (m *hostMaker) place() scan.Place {
	p := scan.Place{State: scan.States()[m.IntN(4)], Domain: domainid.Outermost}
	if p.State == scan.Partial {
		p.State = scan.Sandboxed
	}
	if n := len(m.s.Domains); p.State == scan.Sandboxed && n > 0 {
		p.Domain = int32(m.IntN(n))
	}
	return p
}

// conclude fills in what a source says of a process from what it says of its tasks.
func conclude(s *scan.Snapshot, p *scan.Process) {
	tasks := s.TasksOf(p)
	p.State, p.Reason = StateOf(tasks)
	p.NoNewPrivs = scan.ExtentOf(tasks, scan.NoNewPrivs)
	p.Seccomp = scan.ExtentOf(tasks, scan.SeccompStrict|scan.SeccompFilter)
	p.UID = tasks[0].UID
	shallowest := tasks[0].Depth
	for i := range tasks {
		p.UIDsDiffer = p.UIDsDiffer || tasks[i].UID != p.UID
		shallowest, p.MaxDepth = min(shallowest, tasks[i].Depth), max(p.MaxDepth, tasks[i].Depth)
	}
	if p.State == scan.Sandboxed {
		p.Depth = shallowest
	}
}

// StateOf is the state of a process by those of its tasks, with the reason.
func StateOf(tasks []scan.Task) (scan.State, scan.Reason) {
	in, out, reason := 0, 0, scan.NoReason
	for i := range tasks {
		switch tasks[i].State {
		case scan.Sandboxed:
			in++
		case scan.Unsandboxed:
			out++
		default:
			reason = tasks[i].Reason
		}
	}
	switch {
	case in > 0 && out > 0:
		return scan.Partial, scan.NoReason
	case in+out < len(tasks):
		return scan.Unknown, reason
	case in > 0:
		return scan.Sandboxed, scan.NoReason
	default:
		return scan.Unsandboxed, scan.NoReason
	}
}
