// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"strconv"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// processes are all of the host's.
func (h *Host) processes() (c Counts) {
	for _, u := range h.Units {
		for state, n := range u.Processes {
			c[state] += n
		}
	}
	return c
}

// workloads are all of the host's, by their state.
func (h *Host) workloads() (c Counts) {
	for _, u := range h.Units {
		c[u.state()]++
	}
	return c
}

// state is the unit's, in the words of DESIGN.md section 2.
func (u *Unit) state() scan.State {
	n := u.Processes
	someIn, someOut := n[scan.Sandboxed]+n[scan.Partial] > 0, n[scan.Unsandboxed]+n[scan.Partial] > 0
	switch {
	case someIn && someOut:
		return scan.Partial
	case n[scan.Unknown] > 0:
		return scan.Unknown
	case someIn:
		return scan.Sandboxed
	default:
		return scan.Unsandboxed
	}
}

// restricted are the processes that restrict a right, for those rights that
// the kernel has: every effective one restricts all of them, or those on files.
func (h *Host) restricted() map[string]int {
	effective := h.processes()[scan.Sandboxed]
	for _, u := range h.Units {
		effective -= u.Ineffective
	}
	m := map[string]int{}
	for _, right := range access.Names(access.Supported(h.ABI)) {
		m[right] = effective
		if h.FilesOnly && right[:3] != "fs." {
			m[right] = 0
		}
	}
	return m
}

// WorkloadTruth is what is true of one workload over some hosts.
type WorkloadTruth struct {
	Processes Counts
	// Runs are what ends from one scan to the next.
	Runs  Counts
	Hosts int
	// Unsandboxed is the number of hosts with an unsandboxed or partial process of it.
	Unsandboxed int
}

// Truth is what is true of the hosts that have facts, and how many have none.
type Truth struct {
	Hosts, Disabled, WithoutFacts int
	// Violating hosts are those with facts that violate some rule.
	Violating int
	// Answering hosts are those with facts, and those where landlockd answers
	// that it has none.
	Answering int
	// Drifted are those of them that have other rules than most.
	Drifted              int
	ByABI                map[int]int
	Workloads, Processes Counts
	// Runs are what ends from one scan to the next; each launches another program first.
	Runs Counts
	// Ineffective are the workloads and the processes that are sandboxed and
	// restricted in nothing, OutsideWorkers the processes with such a worker.
	IneffectiveWorkloads, Ineffective, OutsideWorkers int
	// WithoutFix is the number of hosts that say that they lack the fix, by erratum.
	WithoutFix map[string]int
	// Layers is the sum of the depths of all processes.
	Layers     int
	ByWorkload map[string]WorkloadTruth
	ByRule     map[string]RuleTruth
	ByAsset    map[string]AssetTruth
	Within     map[Within]WithinTruth
	// Restricted and Having are, for each right, the processes that restrict
	// it and the known ones on hosts whose kernel has it.
	Restricted, Having map[string]int
}

// TruthOf adds up hosts. It reads what they were made of, never a snapshot.
func TruthOf(hosts []*Host) Truth {
	t := Truth{ByABI: map[int]int{}, ByWorkload: map[string]WorkloadTruth{}, ByRule: map[string]RuleTruth{}, ByAsset: map[string]AssetTruth{}, Within: map[Within]WithinTruth{}, Restricted: map[string]int{}, Having: map[string]int{}, WithoutFix: map[string]int{}}
	for _, h := range hosts {
		if h.Kind != Down {
			t.Answering++
			if h.Drifted {
				t.Drifted++
			}
		}
		if h.Kind.HasFacts() {
			t.add(h)
		} else {
			t.WithoutFacts++
		}
	}
	return t
}

func (t *Truth) add(h *Host) {
	t.Hosts++
	t.ByABI[h.ABI]++
	if h.Kind == Disabled {
		t.Disabled++
	}
	processes, workloads := h.processes(), h.workloads()
	for state := range processes {
		t.Processes[state] += processes[state]
		t.Workloads[state] += workloads[state]
	}
	t.Layers += processes[scan.Sandboxed] * int(h.Depth)
	for right, n := range h.restricted() {
		t.Restricted[right] += n
		t.Having[right] += processes.Known()
	}
	if h.NamesDomains && h.Kind != Disabled {
		for i := range 4 {
			t.WithoutFix[strconv.Itoa(i+1)] += int(1 - h.Errata>>i&1)
		}
	}
	for _, u := range h.Units {
		t.Ineffective += u.Ineffective
		t.OutsideWorkers += u.OutsideWorkers
		if u.Ineffective > 0 && u.Ineffective == u.Processes.Total() {
			t.IneffectiveWorkloads++
		}
		w := t.ByWorkload[u.Name]
		w.Hosts++
		for asset, n := range u.reach(h) {
			all := t.ByAsset[asset]
			t.ByAsset[asset] = AssetTruth{all.Out + n.Out, all.Within + n.Within, all.Unknown + n.Unknown}
		}
		for state, n := range u.Processes {
			w.Processes[state] += n
		}
		for state, n := range u.ended() {
			w.Runs[state] += n
			t.Runs[state] += n
		}
		if u.Processes[scan.Unsandboxed]+u.Processes[scan.Partial] > 0 {
			w.Unsandboxed++
		}
		t.ByWorkload[u.Name] = w
	}
	t.addWithin(h)
	violating := 0
	for _, rule := range Rules() {
		if of, applies := rule.truth(h); applies {
			sum := t.ByRule[rule.Name]
			sum.add(of)
			t.ByRule[rule.Name] = sum
			violating = max(violating, of.Violating)
		}
	}
	t.Violating += violating
}

// ShowsAll reports whether there is something to show of the host in every panel, and of the rule.
func (h *Host) ShowsAll(rule string) bool {
	t := TruthOf([]*Host{h})
	return h.Kind == Steady && h.NamesDomains && t.ByRule[rule].Violating > 0 && t.ByRule[rule].Runs.Broken > 0 &&
		t.Ineffective > 0 && t.Processes[scan.Partial] > 0 && t.Processes[scan.Unknown] > 0
}
