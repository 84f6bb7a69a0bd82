// SPDX-License-Identifier: Apache-2.0

// Package fleet simulates hosts that run landlockd: the real collectors, rules,
// counting of denials and HTTP handler over generated snapshots, all behind one
// listener, with a path for each host. What a whole fleet should say is known
// from what it was made of ([Truth]), so that Prometheus, recording rules and
// dashboards can be checked against it.
package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/landlockd/landlockd/scan"
)

// Kind says how a host behaves.
type Kind uint8

const (
	// Steady: every scan succeeds.
	Steady Kind = iota
	// Disabled: Landlock was not enabled at boot; every process is unsandboxed.
	Disabled
	// Flaky: every fourth scan fails.
	Flaky
	// Rebooting: every sixth scrape finds nobody, because the host boots. The
	// first scan after that fails, and the next finds young processes.
	Rebooting
	// Failing: no scan ever succeeds (no BTF).
	Failing
	// Down: nobody answers.
	Down
	// Losing: as Steady, until [Server.LoseLandlock] boots it with a kernel
	// that does not enable Landlock.
	Losing
	numKinds
)

// HasFacts reports whether scans of such a host succeed at all.
func (k Kind) HasFacts() bool { return k != Failing && k != Down }

// Counts are numbers of processes, indexed by scan.State.
type Counts [4]int

// Known is the number of processes whose state is known.
func (c Counts) Known() int {
	return c[scan.Sandboxed] + c[scan.Partial] + c[scan.Unsandboxed]
}

// Total is the number of all.
func (c Counts) Total() int { return c.Known() + c[scan.Unknown] }

// Unit is one workload on one host.
type Unit struct {
	Name      string
	Processes Counts
	// Ineffective of its sandboxed processes are restricted in nothing, and
	// OutsideWorkers of them have a worker that may act outside.
	Ineffective, OutsideWorkers int
	// Runs are those that end between two scans, older than any rule's grace, and Short
	// those that end within it.
	Runs, Short Counts
}

// Host is what one simulated host is made of. It is not changed once it was generated.
type Host struct {
	Name, Cluster string
	Kind          Kind
	Release       string
	// ABI is the version of Landlock's interface; 0 if Landlock is off.
	ABI int
	// NamesDomains: the kernel (from 6.15 on) names domains, counts their denials
	// and says which Errata have its fix: bit n-1 is that of erratum n.
	NamesDomains bool
	Errata       uint32
	// Units are in ascending order of their names, each with at least one process.
	Units []Unit
	// Depth is the depth of sandboxed processes.
	Depth uint16
	// FilesOnly: sandboxes restrict every right on files, and no other.
	FilesOnly bool
	// Young: its processes start over and over, and are always younger than the
	// grace of every rule.
	Young bool
	// Drifted: its configuration is another one than that of most hosts.
	Drifted bool
}

// readsRules reports whether rules of domains are read: from Linux 5.17 on.
func (h *Host) readsRules() bool { return h.ABI >= 2 }

// clusters are those of a fleet, hosts in turn.
func clusters() []string { return []string{"eu", "us"} }

// kernels are the releases of a fleet with their ABIs.
func kernels() []Host {
	return []Host{
		{Release: "5.15.0-91-generic", ABI: 1}, {Release: "6.1.0-13-amd64", ABI: 2},
		{Release: "6.12.9-amd64", ABI: 6},
		{Release: "7.1.2-amd64", ABI: 9, NamesDomains: true, Errata: 0b0011},
		{Release: "7.3.0-amd64", ABI: 11, NamesDomains: true, Errata: 0b0111},
	}
}

// unitNames are the workloads of a fleet: those of rules, and others with
// names as systemd, container runtimes and people make them.
func unitNames(n int) []string {
	names := []string{"cron.service", "dbus.service", "session.scope", "user@.service", "container:/usr/bin/redis-server"}
	for _, r := range Rules() {
		names = append(names, r.Workload)
	}
	for i := len(names); i < n; i++ {
		names = append(names, fmt.Sprintf("app-%03d.service", i))
	}
	return names
}

// Options say what a fleet is made of.
type Options struct {
	Seed  uint64
	Hosts int
	// Units is how many workloads there are in the fleet, of which each host
	// has about two thirds; at least 10.
	Units int
}

// Generate returns a fleet. The same options give the same fleet, which has at
// least one host of each kind from 16 hosts on.
func Generate(o Options) []*Host {
	rng := rand.New(rand.NewPCG(o.Seed, 0x1a9d10c4))
	names := unitNames(o.Units)
	hosts := make([]*Host, o.Hosts)
	for i := range hosts {
		h := kernels()[rng.IntN(len(kernels()))]
		h.Name = fmt.Sprintf("host%05d.example", i)
		h.Cluster = clusters()[i%len(clusters())]
		h.Kind = kindOf(i)
		h.Depth = uint16(1 + rng.IntN(3))
		h.FilesOnly = rng.IntN(5) == 0
		h.Young = rng.IntN(6) == 0
		h.Drifted = i%16 == 1 || i%16 == 4 // steady ones, one in each cluster
		if h.Kind == Disabled {
			h.ABI = 0
		}
		h.Units = units(rng, names, h.Kind)
		hosts[i] = &h
	}
	for _, h := range hosts {
		for i := range h.Units {
			h.Units[i].weaken(rng, h.readsRules())
		}
	}
	for _, h := range hosts {
		for i := range h.Units {
			h.Units[i].addRuns(rng, h.Kind)
		}
	}
	return hosts
}

// kindOf makes most hosts steady.
func kindOf(i int) Kind {
	switch i % 16 {
	case 3:
		return Disabled
	case 6:
		return Flaky
	case 9:
		return Rebooting
	case 10:
		return Losing
	case 12:
		return Failing
	case 15:
		return Down
	default:
		return Steady
	}
}

func units(rng *rand.Rand, names []string, kind Kind) []Unit {
	var out []Unit
	for _, name := range names {
		if rng.IntN(3) == 0 {
			continue
		}
		n := 1 + rng.IntN(4)
		var c Counts
		switch {
		case kind == Disabled:
			c[scan.Unsandboxed] = n
		case name == "prometheus-node-exporter.service":
			c[scan.Sandboxed] = n
		case name == "cron.service": // sandboxed nowhere
			c[scan.Unsandboxed] = n
		default:
			for range n {
				c[drawState(rng, kind)]++
			}
		}
		out = append(out, Unit{Name: name, Processes: c})
	}
	sortUnits(out)
	return out
}

// weaken makes some sandboxed processes ineffective or gives them outside workers.
// Where rules are not read, none counts as ineffective. Rules are about what is as
// it should be in this.
func (u *Unit) weaken(rng *rand.Rand, readsRules bool) {
	n := u.Processes[scan.Sandboxed]
	if n == 0 || hasRule(u.Name) {
		return
	}
	switch rng.IntN(8) {
	case 0:
		u.Ineffective = n
	case 1:
		u.Ineffective = 1
	case 2:
		u.OutsideWorkers = 1 + rng.IntN(n)
	}
	if !readsRules {
		u.Ineffective = 0
	}
}

// drawState returns mostly Sandboxed, and now and then each other state. A Losing
// host has no process that is partial or unknown: a workload has series of these
// states only while it has such processes, and sums remember a series for as long
// as a host's last facts count.
func drawState(rng *rand.Rand, kind Kind) scan.State {
	n := rng.IntN(20)
	switch {
	case n == 0 && kind != Losing:
		return scan.Unknown
	case n == 1 && kind != Losing:
		return scan.Partial
	case n < 5:
		return scan.Unsandboxed
	default:
		return scan.Sandboxed
	}
}

// withoutLandlock returns what the host is after it booted with a kernel that
// does not enable Landlock.
func (h *Host) withoutLandlock() *Host {
	lost := *h
	lost.Kind, lost.ABI = Disabled, 0
	lost.Units = slices.Clone(h.Units)
	for i := range lost.Units {
		u := &lost.Units[i]
		u.Processes, u.Ineffective, u.OutsideWorkers = Counts{scan.Unsandboxed: u.Processes.Total()}, 0, 0
	}
	return &lost
}

// AfterLoss returns what hosts are after [Server.LoseLandlock].
func AfterLoss(hosts []*Host) []*Host {
	after := slices.Clone(hosts)
	for i, h := range after {
		if h.Kind == Losing {
			after[i] = h.withoutLandlock()
		}
	}
	return after
}
