// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"slices"
	"strings"
)

// Part is series of a host that come for one reason.
type Part struct {
	Name string
	// Of reports whether series of a metric of this name belong to it; the first
	// part that reports true has them.
	Of func(metric string) bool
	// Most is how many series there may be, of a host with so many workloads
	// with series of their own and so many rules that apply.
	Most func(workloads, rules int) int
}

// Budget returns the parts that the series of a host are made of, without those of
// the Go runtime, which --web.disable-exporter-metrics leaves out. The last part is
// what every host has whatever it is asked for; rights and hardening can each be
// switched off, and denials are there only where the kernel reports them. It is
// what docs/performance.md says.
func Budget() []Part {
	const rights = 23 // as many as the newest kernel has
	waived := 0
	for _, r := range Rules() {
		if r.Waived != "" {
			waived++
		}
	}
	always := func(n int) func(int, int) int { return func(int, int) int { return n } }
	return []Part{
		{"workloads", is("landlock_workload_processes"), func(workloads, _ int) int { return 4 * workloads }},
		{"runs of workloads", is("landlock_workload_runs_total"), func(workloads, _ int) int { return 2 * (workloads + 1) }},
		{"runs", begins("landlock_runs_", "landlock_launches_", "landlockd_run"), always(10)},
		{"rules", is("landlock_rule_processes", "landlock_rule_violated", "landlock_rule_runs_total"), func(_, rules int) int { return 9*rules + 2*waived }},
		{"waivers", begins("landlock_rule_waived"), always(2 * waived)},
		{"assets", is("landlock_asset_processes"), always(3 * len(Assets()))},
		{"workloads within reach of assets", is("landlock_workload_asset_processes"),
			func(workloads, _ int) int { return min(100, (workloads+1)*len(Assets())) }},
		{"violated rules", is("landlock_rule_violating_since_timestamp_seconds"), func(_, rules int) int { return rules }},
		{"violations", is("landlock_rule_violations"), always(20)},
		{"broken rules", is("landlock_rule_last_broken_timestamp_seconds"), always(20)},
		{"denials", begins("landlock_denials_", "landlock_workload_denials_", "landlockd_denials_"), func(workloads, _ int) int { return rights + 5 + workloads }},
		{"rights", is("landlock_processes_restricted"), always(rights)},
		{"hardening", is("landlock_processes_hardened"), always(12)},
		{"the host and landlockd", begins("landlock_", "landlockd_"), always(80)},
	}
}

func is(names ...string) func(string) bool {
	return func(metric string) bool { return slices.Contains(names, metric) }
}

func begins(prefixes ...string) func(string) bool {
	return func(metric string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(metric, p) })
	}
}

// Most is how many series a host may have in all.
func (h *Host) Most() (n int) {
	rules := len(TruthOf([]*Host{h}).ByRule)
	for _, p := range Budget() {
		n += p.Most(min(len(h.Units), workloadLimit), rules)
	}
	return n
}
