// SPDX-License-Identifier: Apache-2.0

// Package fleet simulates hosts that run landlockd: the real collector and the
// real HTTP handler over generated snapshots, all behind one listener, with a
// path for each host. What a whole fleet should say is known from what it was
// made of ([Truth]), so that Prometheus, rules and dashboards can be checked
// against it.
package fleet

import (
	"fmt"
	"math/rand/v2"

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
	// Rebooting: every tenth scrape finds nobody; the one after it a scan that fails.
	Rebooting
	// Failing: no scan ever succeeds (no BTF).
	Failing
	// Down: nobody answers.
	Down
)

// HasFacts says whether scans of such a host succeed at all.
func (k Kind) HasFacts() bool { return k != Failing && k != Down }

// Counts are numbers of processes, indexed by scan.State.
type Counts [4]int

// Known is the number of processes whose state is known.
func (c Counts) Known() int {
	return c[scan.Sandboxed] + c[scan.Partial] + c[scan.Unsandboxed]
}

// Unit is one workload on one host.
type Unit struct {
	Name      string
	Processes Counts
}

// Host is one simulated host. It is not changed once it was generated.
type Host struct {
	Name, Cluster string
	Kind          Kind
	Release       string
	ABI           int
	// Units are in ascending order of their names, each with at least one process.
	Units []Unit
	// Depth is the depth of sandboxed processes.
	Depth uint16
	// Young: its processes are younger than the grace of every rule.
	Young bool
}

// clusters are those of a fleet, hosts in turn.
func clusters() []string { return []string{"eu", "us"} }

// Rule is what the fleet's configuration expects of one workload.
type Rule struct {
	Name, Workload, Severity string
}

// Rules are those of every host's configuration. A host without the workload
// exports nothing of a rule.
func Rules() []Rule {
	return []Rule{
		{"resolver", "systemd-resolved.service", "critical"},
		{"time", "systemd-timesyncd.service", "warning"},
		{"web", "nginx.service", "critical"},
		// Compliant everywhere but where Landlock is off.
		{"exporter", "prometheus-node-exporter.service", "info"},
	}
}

// kernels are the releases of a fleet with their ABIs.
func kernels() []Host {
	return []Host{
		{Release: "5.15.0-91-generic", ABI: 1}, {Release: "6.1.0-13-amd64", ABI: 2},
		{Release: "6.12.9-amd64", ABI: 6}, {Release: "7.1.2-amd64", ABI: 9}, {Release: "7.3.0-amd64", ABI: 11},
	}
}

// unitNames are the workloads of a fleet: those of rules, and others with
// names as systemd, container runtimes and people make them.
func unitNames(n int) []string {
	names := []string{"cron.service", "dbus.service", "session.scope", "user@.service", "shop/checkout", "container:/usr/bin/redis-server"}
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
		h.Name = fmt.Sprintf("host%04d.example", i)
		h.Cluster = clusters()[i%len(clusters())]
		h.Kind = kindOf(i)
		h.Depth = uint16(1 + rng.IntN(3))
		h.Young = rng.IntN(6) == 0
		if h.Kind == Disabled {
			h.ABI = 0
		}
		h.Units = units(rng, names, h.Kind)
		hosts[i] = &h
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
				c[drawState(rng)]++
			}
		}
		out = append(out, Unit{name, c})
	}
	sortUnits(out)
	return out
}

// drawState returns mostly Sandboxed, and now and then each other state.
func drawState(rng *rand.Rand) scan.State {
	switch rng.IntN(20) {
	case 0:
		return scan.Unknown
	case 1:
		return scan.Partial
	case 2, 3, 4:
		return scan.Unsandboxed
	default:
		return scan.Sandboxed
	}
}
