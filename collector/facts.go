// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// facts are the kernel's of one snapshot. Finding them costs one walk over its
// processes and one over its tasks.
type facts struct {
	snap   *scan.Snapshot
	kernel *scan.Kernel
	scan.Counts
}

var factMetrics = newTable(func(s *Scrape) *facts {
	if s.Snapshot == nil {
		return nil
	}
	return &facts{s.Snapshot, &s.Snapshot.Kernel, s.Snapshot.Count()}
}, []metric[facts]{
	{
		name: "landlock_enabled",
		help: "1 if the kernel can sandbox processes with Landlock. 0 if Landlock is absent or " +
			"was not enabled at boot; then every process is unsandboxed.",
		present: ifScanned,
		values:  func(f *facts, emit emitter) { emit(boolValue(f.kernel.Landlock == scan.Enabled)) },
	},
	{
		name:    "landlock_abi_version",
		help:    "Version of the kernel's Landlock ABI, 0 without Landlock.",
		present: ifScanned,
		values:  func(f *facts, emit emitter) { emit(float64(f.kernel.ABI)) },
	},
	{
		name:    "landlock_kernel_info",
		help:    "Always 1. The running kernel.",
		labels:  []Label{{"release", "the release as uname(2) reports it"}},
		present: ifScanned,
		values:  func(f *facts, emit emitter) { emit(1, f.kernel.Release) },
	},
	{
		name: "landlock_kernel_erratum_fixed",
		help: "1 if this kernel has the fix of an erratum of Landlock, 0 if it has not.",
		labels: []Label{{"erratum", "the kernel's number of the erratum: see " +
			"[rights.md](rights.md#errata)"}},
		present: "if the scan succeeded and the kernel says which fixes it has (Linux 6.15, and " +
			"backports): errata that a kernel of its ABI version can have",
		values: (*facts).errata,
	},
	{
		name: "landlock_processes",
		help: "User processes by state. sandboxed: every task is in a domain. partial: some are, " +
			"some are not. unsandboxed: none is. unknown: it could not be found out.",
		labels:  []Label{{"state", "`sandboxed`, `partial`, `unsandboxed`, `unknown`"}},
		present: allStates,
		values:  func(f *facts, emit emitter) { emitStates(emit, f.Processes) },
	},
	{
		name: "landlock_threads",
		help: "Tasks (threads) of user processes by state. A task is in a domain or is not: none " +
			"is partial.",
		labels:  []Label{{"state", "`sandboxed`, `unsandboxed`, `unknown`"}},
		present: allStates,
		values: func(f *facts, emit emitter) {
			for _, state := range scan.States() {
				// A series that can only be 0 would suggest that it could be more.
				if state != scan.Partial {
					emit(float64(f.Threads.Of(state)), state.String())
				}
			}
		},
	},
	{
		name: "landlock_process_coverage_ratio",
		help: "Sandboxed processes divided by sandboxed, partial and unsandboxed ones. Do not " +
			"average over hosts: divide sums of landlock_processes.",
		present: "if the scan succeeded and the state of some process is known",
		values: func(f *facts, emit emitter) {
			if ratio, ok := f.Processes.Coverage(); ok {
				emit(ratio)
			}
		},
	},
	{
		name: "landlock_processes_ineffective",
		help: "Sandboxed processes that are known to be restricted in no right: none is " +
			"restricted in all of their tasks. Those of which it is unknown are not counted. " +
			"With landlockd_source_info{rules=\"unread\"} what is handled counts as restricted.",
		present: ifMeant,
		values:  func(f *facts, emit emitter) { emitIf(emit, showsMeaning(f.snap), f.Ineffective) },
	},
	{
		name: "landlock_processes_outside_worker",
		help: "Sandboxed processes that are known to have a worker, a thread that the kernel " +
			"made for them (io_uring, vhost), that may act outside of their domains. Those of " +
			"which it is unknown are not counted.",
		present: ifMeant,
		values:  func(f *facts, emit emitter) { emitIf(emit, showsMeaning(f.snap), f.OutsideWorkers) },
	},
	{
		name: "landlock_unknown_processes",
		help: "Processes in state unknown by reason. denied: the kernel refused the read. " +
			"hidden: it does not show the attribute. changing: the process changed during every " +
			"read. malformed: the kernel's answer was not understood.",
		labels:  []Label{{"reason", "`denied`, `hidden`, `changing`, `malformed`"}},
		present: "all reasons, if the scan succeeded",
		values: func(f *facts, emit emitter) {
			for _, reason := range scan.Reasons() {
				emit(float64(f.Reasons[reason]), reason.String())
			}
		},
	},
	{
		name: "landlock_processes_by_depth",
		help: "Processes by the depth of their shallowest task, so that a partial process counts " +
			"at 0. Unknown ones are not counted.",
		labels:  []Label{{"depth", "`0` to `16`; `17+` above"}},
		present: "`0`, `1` and the depths that occur, if the scan succeeded",
		values:  (*facts).depths,
	},
	{
		name: "landlock_process_layers",
		help: "Sum of the depths of all processes, each counted at its shallowest task. Divide " +
			"by processes to get the mean depth, of one host or of many.",
		present: ifScanned,
		values:  func(f *facts, emit emitter) { emit(float64(f.Layers)) },
	},
	{
		name:    "landlock_nesting_depth_max",
		help:    "Depth of the deepest task of any process, 0 if none is sandboxed.",
		present: ifScanned,
		values:  func(f *facts, emit emitter) { emit(float64(f.MaxDepth)) },
	},
	{
		name:    "landlock_nesting_depth_limit",
		help:    "Number of layers that a task can have on this kernel, 0 without Landlock.",
		present: ifScanned,
		values:  func(f *facts, emit emitter) { emit(float64(f.kernel.NestingLimit())) },
	},
	{
		name: "landlock_domains",
		help: "Domains with a live task in them or in a domain nested in them, without those " +
			"that were left out: see landlockd_domains_unread.",
		present: ifScanned,
		values:  func(f *facts, emit emitter) { emit(float64(len(f.snap.Domains))) },
	},
})

// errata emits a series for each erratum that is known here, so that neither a newer
// kernel nor a false answer makes more: none for an erratum of what this kernel does not
// have, and none at all if the kernel does not report its fixes.
func (f *facts) errata(emit emitter) {
	if !f.kernel.ErrataKnown {
		return
	}
	for _, e := range access.Errata() {
		if fixed := f.kernel.Fixed(e.Number) == access.Yes; fixed || f.kernel.ABI >= e.ABI {
			emit(boolValue(fixed), strconv.Itoa(e.Number))
		}
	}
}

func (f *facts) depths(emit emitter) {
	for depth, n := range f.ByDepth {
		if n == 0 && depth > 1 {
			continue
		}
		label := strconv.Itoa(depth)
		if depth > scan.DeepestCounted {
			label += "+"
		}
		emit(float64(n), label)
	}
}

func emitStates(emit emitter, n scan.ByState) {
	for _, state := range scan.States() {
		emit(float64(n.Of(state)), state.String())
	}
}

// showsMeaning reports whether the snapshot shows what a sandbox means: not if its source
// only finds out which processes are in one. Without Landlock it is known that there is
// none.
func showsMeaning(s *scan.Snapshot) bool {
	return s.Kernel.Landlock != scan.Enabled || s.Source.Rules != "none"
}
