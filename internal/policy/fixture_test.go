// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

const second = uint64(time.Second)

// host is a snapshot in the making: of a kernel of ABI 6, up for 1000 seconds.
type host struct{ *scan.Snapshot }

func newHost() host {
	h := host{&scan.Snapshot{Uptime: 1000 * time.Second, Source: scan.SourceInfo{PIDNS: "init"}}}
	h.kernel(6)
	return h
}

// kernel makes the host's kernel one that has all rights of an ABI version.
func (h host) kernel(abi int) {
	h.Kernel = scan.Kernel{Landlock: scan.Enabled, ABI: abi, Rights: access.Exactly(access.Supported(abi))}
}

// workload adds a workload and returns its index.
func (h host) workload(w scan.Workload) int32 {
	if w.FullName == "" {
		w.FullName = w.Unit
	}
	if w.Name == "" {
		w.Name = w.FullName
	}
	h.Workloads = append(h.Workloads, w)
	return int32(len(h.Workloads) - 1)
}

// unit adds the workload of a unit of the system manager.
func (h host) unit(name string) int32 {
	return h.workload(scan.Workload{Kind: scan.Unit, Unit: name, Slice: "system.slice", Cgroup: "/system.slice/" + name})
}

// domain adds a domain within another one, or -1, and returns its index.
func (h host) domain(parent int32, handled access.Rights) int32 {
	d := domainid.Domain{ID: domainid.ID(1000 + len(h.Domains)), Parent: parent, Depth: 1, Lineage: domainid.LineageKnown, Handled: handled}
	if parent >= 0 {
		d.Depth = h.Domains[parent].Depth + 1
	}
	h.Domains = append(h.Domains, d)
	return int32(len(h.Domains) - 1)
}

// view adds a view of a domain in which each layer grants everywhere what is
// given, the outermost first, and returns its index.
func (h host) view(domain int32, everywhere ...uint32) int32 {
	h.Views = append(h.Views, domainid.View{Domain: domain, Everywhere: everywhere})
	return int32(len(h.Views) - 1)
}

// process adds a process of a workload with a task in each of some domains; -1
// is in none, -2 unknown. Its tasks have no view of their domains. It is 500 seconds old, and its
// executable one of the host's. The result is valid until the next call.
func (h host) process(workload int32, exe string, domains ...int32) *scan.Process {
	p := scan.Process{
		PID: 10 + int32(len(h.Processes)), PPID: 1, Start: 500 * second, Exe: exe, ExeOrigin: scan.OfHost,
		Workload: workload, FirstTask: int32(len(h.Tasks)), NumTasks: int32(len(domains)),
	}
	var in, out, dark int
	for i, d := range domains {
		t := scan.Task{TID: p.PID*100 + int32(i), Start: p.Start, Domain: domainid.Outermost, View: domainid.NoView}
		switch {
		case d >= 0:
			t.State, t.Domain = scan.Sandboxed, d
			t.Depth, t.DepthExact = h.Domains[d].Depth, h.Domains[d].Lineage == domainid.LineageKnown
			in++
		case d == -1:
			t.State = scan.Unsandboxed
			out++
		default:
			dark++
		}
		h.Tasks = append(h.Tasks, t)
	}
	switch {
	case in > 0 && out > 0:
		p.State = scan.Partial
	case dark > 0:
		p.State, p.Reason = scan.Unknown, scan.Denied
	case in > 0:
		p.State = scan.Sandboxed
	default:
		p.State = scan.Unsandboxed
	}
	h.Processes = append(h.Processes, p)
	return &h.Processes[len(h.Processes)-1]
}

// evaluate loads rules and judges a host.
func evaluate(t testing.TB, rules string, h host) *Evaluation {
	t.Helper()
	return New(load(t, rules), Options{}).Evaluate(h.Snapshot)
}

// rule returns the result of one rule; nil if it has none.
func (r *Evaluation) rule(name string) *RuleEvaluation {
	for i := range r.Rules {
		if r.Rules[i].Rule.Name == name {
			return &r.Rules[i]
		}
	}
	return nil
}

// worker gives the process that was added last a worker in a place.
func (h host) worker(real, acting scan.Place) {
	p := &h.Processes[len(h.Processes)-1]
	if p.NumWorkers == 0 {
		p.FirstWorker = int32(len(h.Workers))
	}
	p.NumWorkers++
	h.Workers = append(h.Workers, scan.Worker{TID: p.PID*100 + 50 + p.NumWorkers, Start: p.Start, Real: real, Acting: acting})
}

// Places of workers: in no domain, and where that is not known.
var (
	freePlace = scan.Place{State: scan.Unsandboxed, Domain: domainid.Outermost}
	darkPlace = scan.Place{State: scan.Unknown, Domain: domainid.Outermost}
)

func placeIn(domain int32) scan.Place { return scan.Place{State: scan.Sandboxed, Domain: domain} }

var allFS = access.Rights{access.FS: 1<<16 - 1}
