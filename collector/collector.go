// SPDX-License-Identifier: Apache-2.0

// Package collector shows a snapshot to Prometheus.
//
// [New] collects the kernel facts of one snapshot, landlock_*, and [NewDaemon]
// the daemon's own state, landlockd_*. Both are pure functions of their
// arguments and hold nothing between scrapes: a caller makes them for each
// scrape, registers them in a registry of that scrape, and leaves New out if
// the scan failed. Then no fact of an older scan can be taken for a new one.
//
// Every metric stands in one table, which [Docs] returns and docs/metrics.md is
// generated from. Nothing in it names a process.
package collector

//go:generate go test -run "^(TestPage|TestGolden|TestRules|TestDenials)$" -update .

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// emit sends one value of a metric of the table. Label values may be hostile.
func emit(ch chan<- prometheus.Metric, id metricID, value float64, labels ...string) {
	for i, l := range labels {
		labels[i] = clean(l)
	}
	ch <- prometheus.MustNewConstMetric(descs[id], table[id].Type.valueType(), value, labels...)
}

// clean returns s as a label value. The exposition formats forbid what is not
// UTF-8, and Prometheus takes a NUL for the end of the whole response.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// describe sends the descriptors from one metric of the table to another.
func describe(ch chan<- *prometheus.Desc, first, last metricID) {
	for id := first; id <= last; id++ {
		ch <- descs[id]
	}
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
