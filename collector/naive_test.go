// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// TestNaive compares all series of the kernel's facts of random hosts with what
// somebody finds who looks at one task, one layer and one right at a time. It asks
// nothing that concludes: neither this package nor scan nor domainid.
func TestNaive(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(50) {
		s := hosts.Random(seed)
		got, want := exports(t, s), naive{s}.series()
		if !maps.Equal(got, want) {
			for name := range want {
				if v, ok := got[name]; !ok || v != want[name] {
					t.Errorf("seed %d: %s is %v (there: %v), want %v", seed, name, v, ok, want[name])
				}
				delete(got, name)
			}
			t.Fatalf("seed %d: series that naive.series, which works out anew what they are, does not have: %v", seed, got)
		}
		for name, v := range want {
			seen[name] = seen[name] || v > 0
		}
	}
	for _, name := range []string{
		"landlock_processes_ineffective", "landlock_workloads_ineffective",
		"landlock_processes_outside_worker", "landlock_processes_restricted fs.refer",
		"landlock_processes_restricted net.bind_tcp", "landlock_processes_hardened seccomp partial",
		"landlock_processes_by_depth 3", "landlock_workloads partial",
		"landlock_asset_processes signals out_of_reach", "landlock_asset_processes signals unknown",
		"landlock_asset_processes sockets within_reach",
	} {
		if !seen[name] {
			t.Errorf("%s is 0 on all hosts", name)
		}
	}
}

// exports are the facts that are exported of a snapshot, by name and label values.
func exports(t *testing.T, s *scan.Snapshot) map[string]float64 {
	t.Helper()
	families, err := gather(Scrape{
		Snapshot: s, Rights: true, Hardening: true, Workloads: &WorkloadOptions{Hide: true},
	}).Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			all[f.GetName()+labelValues(m)] = m.GetGauge().GetValue()
		}
	}
	delete(all, "landlockd_workload_unresolved_processes")
	return all
}

func labelValues(m *dto.Metric) (text string) {
	for _, l := range m.GetLabel() {
		text += " " + l.GetValue()
	}
	return text
}

// naive counts what a snapshot's tasks show.
type naive struct{ s *scan.Snapshot }

func (n naive) series() map[string]float64 {
	all := map[string]float64{"landlock_kernel_info " + n.s.Kernel.Release: 1}
	n.kernel(all)
	enabled := n.s.Kernel.Landlock == scan.Enabled
	meant := !enabled || n.s.Source.Rules != "none"
	if meant {
		all["landlock_processes_ineffective"], all["landlock_processes_outside_worker"] = 0, 0
	}
	for i := range n.s.Tasks {
		all["landlock_threads "+n.s.Tasks[i].State.String()]++
	}
	known := 0.
	for i := range n.s.Processes {
		p := &n.s.Processes[i]
		state, reason := hosts.StateOf(n.s.TasksOf(p))
		all["landlock_processes "+state.String()]++
		n.depth(all, p, state)
		if state == scan.Unknown {
			all["landlock_unknown_processes "+reason.String()]++
			continue
		}
		known++
		n.hardening(all, p, state)
		if state != scan.Sandboxed {
			continue
		}
		if meant && n.ineffective(p) {
			all["landlock_processes_ineffective"]++
		}
		if meant && n.outside(p) {
			all["landlock_processes_outside_worker"]++
		}
		for _, asset := range n.s.Assets {
			all["landlock_asset_processes "+asset.Name+" "+n.reach(p, asset.Signal)]++
		}
		for _, r := range n.rights() {
			if n.everyTask(p, func(t *scan.Task) bool { return n.restricts(t, r, certainly) }) {
				all["landlock_processes_restricted "+r.Name]++
			}
		}
	}
	if known > 0 {
		all["landlock_process_coverage_ratio"] = all["landlock_processes sandboxed"] / known
	}
	n.workloads(all, meant)
	return all
}

// kernel has what does not depend on processes, and the series that are there at 0.
func (n naive) kernel(all map[string]float64) {
	k := n.s.Kernel
	if k.Landlock == scan.Enabled {
		all["landlock_enabled"], all["landlock_nesting_depth_limit"] = 1, 16
		if k.ABI == 1 {
			all["landlock_nesting_depth_limit"] = 64
		}
	} else {
		all["landlock_enabled"], all["landlock_nesting_depth_limit"] = 0, 0
	}
	all["landlock_abi_version"], all["landlock_domains"] = float64(k.ABI), float64(len(n.s.Domains))
	all["landlock_process_layers"], all["landlock_nesting_depth_max"] = 0, 0
	all["landlock_processes_by_depth 0"], all["landlock_processes_by_depth 1"] = 0, 0
	for number, abi := range map[int]int{1: 4, 2: 6, 3: 1, 4: 1} {
		if fixed := k.Errata >> (number - 1) & 1; k.ErrataKnown && (fixed == 1 || k.ABI >= abi) {
			all[fmt.Sprint("landlock_kernel_erratum_fixed ", number)] = float64(fixed)
		}
	}
	for _, state := range []string{"sandboxed", "partial", "unsandboxed", "unknown"} {
		all["landlock_processes "+state] = 0
		if state != "partial" {
			all["landlock_threads "+state] = 0
		}
	}
	for _, reason := range []string{"denied", "hidden", "changing", "malformed"} {
		all["landlock_unknown_processes "+reason] = 0
	}
	for _, feature := range []string{"no_new_privs", "seccomp", "non_root", "user_namespace"} {
		all["landlock_processes_hardened "+feature+" sandboxed"] = 0
		all["landlock_processes_hardened "+feature+" unsandboxed"] = 0
	}
	for _, r := range n.rights() {
		all["landlock_processes_restricted "+r.Name] = 0
	}
	for _, asset := range n.s.Assets {
		for _, reach := range []string{"out_of_reach", "within_reach", "unknown"} {
			all["landlock_asset_processes "+asset.Name+" "+reach] = 0
		}
	}
}

// reach is whether each task is kept from signalling, or from abstract sockets, outside.
func (n naive) reach(p *scan.Process, signal bool) string {
	right, _ := access.Lookup("scope.abstract_unix_socket")
	if signal {
		right, _ = access.Lookup("scope.signal")
	}
	within, unknown := n.outside(p), n.perhapsOutside(p)
	for i := range n.s.TasksOf(p) {
		chain, all := n.chain(n.s.TasksOf(p)[i].Domain)
		kept, newer := false, false
		for _, d := range chain {
			domain := &n.s.Domains[d]
			kept = kept || right.In(domain.Handled)
			newer = newer || domain.HandlesOther
			all = all && !domain.Handled.Empty()
		}
		if lacks := !right.In(n.s.Kernel.Rights.May); !kept && !newer && (all || lacks) {
			within = true
		} else if !kept {
			unknown = true
		}
	}
	switch {
	case within:
		return "within_reach"
	case unknown:
		return "unknown"
	default:
		return "out_of_reach"
	}
}

// perhapsOutside: of some worker it is not known that its credentials are where a task is.
func (n naive) perhapsOutside(p *scan.Process) bool {
	for _, w := range n.s.WorkersOf(p) {
		for _, at := range []scan.Place{w.Real, w.Acting} {
			around, _ := n.chain(at.Domain)
			inside := func(t scan.Task) bool { return t.Domain >= 0 && slices.Contains(around, t.Domain) }
			if at.State != scan.Sandboxed || !slices.ContainsFunc(n.s.TasksOf(p), inside) {
				return true
			}
		}
	}
	return false
}

// rights are those with a series: that the kernel has, as it reports or as is seen.
func (n naive) rights() []access.Right {
	if n.s.Kernel.Landlock != scan.Enabled || n.s.Source.Rules == "none" {
		return nil
	}
	return access.Of(n.s.Kernel.Rights.Sure)
}

func (n naive) depth(all map[string]float64, p *scan.Process, state scan.State) {
	shallowest := 1 << 16
	for _, t := range n.s.TasksOf(p) {
		shallowest = min(shallowest, int(t.Depth))
		all["landlock_nesting_depth_max"] = max(all["landlock_nesting_depth_max"], float64(t.Depth))
	}
	if state == scan.Unknown {
		return
	}
	all[fmt.Sprint("landlock_processes_by_depth ", shallowest)]++
	all["landlock_process_layers"] += float64(shallowest)
}

func (n naive) hardening(all map[string]float64, p *scan.Process, state scan.State) {
	for feature, has := range map[string]func(*scan.Task) bool{
		"no_new_privs":   func(t *scan.Task) bool { return t.Hardening&scan.NoNewPrivs != 0 },
		"seccomp":        func(t *scan.Task) bool { return t.Hardening&^scan.NoNewPrivs != 0 },
		"non_root":       func(t *scan.Task) bool { return t.UID > 0 },
		"user_namespace": func(*scan.Task) bool { return p.UserNS != scan.InitUserNS },
	} {
		if n.everyTask(p, has) {
			all["landlock_processes_hardened "+feature+" "+state.String()]++
		}
	}
}

func (n naive) everyTask(p *scan.Process, is func(*scan.Task) bool) bool {
	for i := range n.s.TasksOf(p) {
		if !is(&n.s.TasksOf(p)[i]) {
			return false
		}
	}
	return true
}

// certainly and possibly are what to make of what is not known.
const (
	certainly = false
	possibly  = true
)

// chain are the domains around a task, the innermost first, and whether they are
// all that there are.
func (n naive) chain(domain int32) (chain []int32, all bool) {
	all = domain >= 0
	for domain >= 0 {
		d := &n.s.Domains[domain]
		chain, domain = append(chain, domain), d.Parent
		all = all && d.Lineage.String() == "known" && (d.Depth == 1 || domain >= 0)
	}
	return chain, all
}

// restricts reports whether some layer of a task restricts a right.
func (n naive) restricts(t *scan.Task, r access.Right, doubtful bool) bool {
	chain, all := n.chain(t.Domain)
	if !all && doubtful {
		return true
	}
	for _, i := range chain {
		d := &n.s.Domains[i]
		// Refer is denied by every layer on files, whatever it handles (from ABI 2 on).
		implied := r.Name == "fs.refer" && n.s.Kernel.ABI > 1 && d.Handled[access.FS] != 0
		if (r.In(d.Handled) || implied) && n.keeps(t, d, r, doubtful) {
			return true
		}
	}
	return false
}

// keeps reports whether a layer that handles a right does not grant it everywhere.
func (n naive) keeps(t *scan.Task, d *domainid.Domain, r access.Right, doubtful bool) bool {
	bit := uint32(1) << r.Bit
	switch {
	case n.s.Source.Rules != "read", r.Class == access.Scope:
		return true
	case r.Class == access.FS && (t.View < 0 || d.Lineage.String() != "known"):
		return doubtful
	case r.Class == access.FS && n.s.Views[t.View].Doubt != 0:
		return doubtful
	case r.Class == access.FS:
		return n.s.Views[t.View].Everywhere[d.Depth-1]&bit == 0
	case d.Ruleset != nil:
		return d.Ruleset.EveryPort&bit == 0
	default: // the layer has fewer rules than there are ports, or all together have
		return doubtful || d.Rules < 65535 || n.s.Domains[t.Domain].Rules < 65535
	}
}

// ineffective: no right is restricted in all tasks, as far as anybody could know.
func (n naive) ineffective(p *scan.Process) bool {
	for class := range access.NumClasses {
		for bit := range uint8(32) {
			r := access.Right{Class: class, Bit: bit}
			for _, named := range access.Of(r.Rights()) {
				r = named
			}
			if n.everyTask(p, func(t *scan.Task) bool { return n.restricts(t, r, possibly) }) {
				return false
			}
		}
	}
	return n.everyTask(p, func(t *scan.Task) bool {
		chain, _ := n.chain(t.Domain)
		for _, i := range chain {
			if n.s.Domains[i].HandlesOther {
				return false
			}
		}
		return true
	})
}

// outside: credentials of some worker are in no domain that a task is in.
func (n naive) outside(p *scan.Process) bool {
	for _, w := range n.s.WorkersOf(p) {
		for _, at := range []scan.Place{w.Real, w.Acting} {
			if at.State == scan.Unsandboxed {
				return true
			}
			if at.State != scan.Sandboxed || at.Domain < 0 {
				continue
			}
			around, all := n.chain(at.Domain)
			elsewhere := func(t *scan.Task) bool {
				return t.Domain >= 0 && !slices.Contains(around, t.Domain)
			}
			if all && n.everyTask(p, elsewhere) {
				return true
			}
		}
	}
	return false
}

// workloads: by the words for them, over the processes of each name.
func (n naive) workloads(all map[string]float64, meant bool) {
	if len(n.s.Processes) == 0 && len(n.s.Workloads) == 0 {
		return
	}
	for _, state := range []string{"sandboxed", "partial", "unsandboxed", "unknown"} {
		all["landlock_workloads "+state] = 0
	}
	if meant {
		all["landlock_workloads_ineffective"] = 0
	}
	processes := map[string][]*scan.Process{}
	for i := range n.s.Processes {
		p := &n.s.Processes[i]
		name := n.s.Workloads[p.Workload].Name
		processes[name] = append(processes[name], p)
	}
	known := 0.
	for _, members := range processes {
		has, effective := map[scan.State]bool{}, false
		for _, p := range members {
			state, _ := hosts.StateOf(n.s.TasksOf(p))
			has[state] = true
			effective = effective || state != scan.Sandboxed || !n.ineffective(p)
		}
		state := "unsandboxed"
		switch {
		case has[scan.Partial], has[scan.Sandboxed] && has[scan.Unsandboxed]:
			state = "partial"
		case has[scan.Unknown]:
			state = "unknown"
		case has[scan.Sandboxed]:
			state = "sandboxed"
		}
		all["landlock_workloads "+state]++
		if state != "unknown" {
			known++
		}
		if meant && !effective {
			all["landlock_workloads_ineffective"]++
		}
	}
	if known > 0 {
		all["landlock_workload_coverage_ratio"] = all["landlock_workloads sandboxed"] / known
	}
}
