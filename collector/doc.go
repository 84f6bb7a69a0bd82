// SPDX-License-Identifier: Apache-2.0

// Package collector shows snapshots to Prometheus.
//
// A [Scrape] is what one scrape shows: the kernel's facts, landlock_*, and the daemon's own
// state, landlockd_*. It is a pure function of its members and holds nothing between
// scrapes: a caller makes one for each scrape, and gathers it, or registers it in a registry
// of that scrape. Then no fact of an older scan can be taken for a new one.
//
//	families, err := (&collector.Scrape{Snapshot: snap, Rights: true}).Gather()
//
// Collecting costs one walk over the snapshot's processes and one over its tasks, and
// allocates nothing for each. The number of series is bounded, whatever runs on the host.
// Nothing in them names a process. Text of others, such as names of workloads, is cleaned.
//
// Each metric is one entry of a table, which has its name, its HELP, its labels, when it
// is there, and the function of its values. [Docs] returns the tables, and
// docs/metrics.md is generated from them.
package collector
