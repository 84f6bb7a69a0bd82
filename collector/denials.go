// SPDX-License-Identifier: Apache-2.0

package collector

// Denials are counts of what was denied since the start.
type Denials struct {
	// Total is the sum of the kernel's counts, if TotalKnown.
	Total      uint64
	TotalKnown bool
	// ByBlocker are the denials by the name of what blocked them; nil if denials are not
	// read one by one, and the following are not known. What this kernel has is in it
	// from the start.
	ByBlocker map[string]uint64
	// ByWorkload are the denials by the name of the denied process's workload.
	ByWorkload map[string]uint64
	// Lost is the number of denials, at most, that came too fast to be read.
	Lost uint64
}

const (
	ifCounting = "the daemon only, not `once`, unless `--no-collector.denials` is given; "
	ifReported = ifCounting + "if the kernel reports denials one by one: see " +
		"[denials.md](denials.md)"
)

var denialMetrics = newTable(func(s *Scrape) *Denials { return s.Denials }, []metric[Denials]{
	{
		name: "landlock_denials_total",
		help: "Accesses that Landlock denied since landlockd started, by the kernel's own count " +
			"for each domain. A lower bound: what a domain denied after the last scan before its " +
			"end is not seen.",
		present: ifCounting + "if the kernel counts (Linux 6.15, with audit)",
		values:  func(d *Denials, emit emitter) { emitIf(emit, d.TotalKnown, d.Total) },
	},
	{
		name: "landlock_denials_by_blocker_total",
		help: "Denials by what blocked the access. One that had several blockers counts for " +
			"each. With audit these are those that are logged, which is not all.",
		labels: []Label{{"blocker", "a right, see [rights.md](rights.md), `ptrace`, " +
			"`fs.change_topology`, or `unknown` for a name that is not known here"}},
		present: ifReported + "; what this kernel has begins at 0",
		values:  func(d *Denials, emit emitter) { emitMap(emit, d.ByBlocker) },
	},
	{
		name: "landlock_workload_denials_total",
		help: "Denials by the workload of the process that was denied, as the next scan finds " +
			"it. process:unknown: it was gone by then, or several share the domain. other: those " +
			"beyond --workload.limit, with all that was denied them before they lost their series.",
		labels: []Label{{"workload", "its name, folded: see [workloads.md](workloads.md)"}},
		present: ifReported + "; " + ifSeries + "; chosen as in " +
			"[denials.md](denials.md#what-the-numbers-mean)",
		values: func(d *Denials, emit emitter) {
			if d.ByBlocker != nil {
				emitMap(emit, d.ByWorkload)
			}
		},
	},
	{
		name: "landlockd_denials_lost_total",
		help: "Denials, or audit records that may have been of one, that came faster than " +
			"landlockd read them. With tracepoints landlock_denials_by_blocker_total has them " +
			"nevertheless, but not those that the kernel counted and called no program for.",
		present: ifReported,
		values:  func(d *Denials, emit emitter) { emitIf(emit, d.ByBlocker != nil, d.Lost) },
	},
})
