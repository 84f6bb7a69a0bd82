// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/scan"
)

// New returns a collector of the kernel facts of one snapshot, landlock_*. It
// is not to be registered for a scan that failed. Collecting costs one walk
// over the snapshot's processes and one over its tasks.
func New(s *scan.Snapshot) prometheus.Collector { return facts{s} }

type facts struct{ snap *scan.Snapshot }

func (f facts) Describe(ch chan<- *prometheus.Desc) { describe(ch, firstFact, lastFact) }

func (f facts) Collect(ch chan<- prometheus.Metric) {
	c := count(f.snap)
	f.collectKernel(ch)
	collectStates(ch, &c)
	if tellsMeaning(f.snap) {
		emit(ch, processesIneffective, float64(c.ineffective))
		emit(ch, processesOutsideWorker, float64(c.outside))
	}
	collectDepths(ch, &c)
	emit(ch, domains, float64(len(f.snap.Domains)))
}

func (f facts) collectKernel(ch chan<- prometheus.Metric) {
	k := f.snap.Kernel
	emit(ch, enabled, boolValue(k.Landlock == scan.Enabled))
	emit(ch, abiVersion, float64(k.ABI))
	emit(ch, kernelInfo, 1, k.Release)
	emit(ch, nestingDepthLimit, float64(k.NestingLimit()))
	collectErrata(ch, &k)
}

// tellsMeaning reports whether the snapshot shows what a sandbox means: not if its
// source only finds out which processes are in one. Without Landlock it is known that
// there is none.
func tellsMeaning(s *scan.Snapshot) bool {
	return s.Kernel.Landlock != scan.Enabled || s.Source.Rules != "none"
}

func collectStates(ch chan<- prometheus.Metric, c *counts) {
	for _, state := range scan.States() {
		emit(ch, processes, float64(c.processes[state]), state.String())
		// A task is never partial: a series that can only be 0 would suggest that it could.
		if state != scan.Partial {
			emit(ch, threads, float64(c.threads[state]), state.String())
		}
	}
	for _, reason := range scan.Reasons() {
		emit(ch, unknownProcesses, float64(c.unknown[reason]), reason.String())
	}
	if ratio, ok := c.coverage(); ok {
		emit(ch, processCoverage, ratio)
	}
}

func collectDepths(ch chan<- prometheus.Metric, c *counts) {
	for depth, n := range c.byDepth {
		if n == 0 && depth > 1 {
			continue
		}
		label := strconv.Itoa(depth)
		if depth > maxDepth {
			label += "+"
		}
		emit(ch, processesByDepth, float64(n), label)
	}
	emit(ch, processLayers, float64(c.layers))
	emit(ch, nestingDepthMax, float64(c.deepest))
}
