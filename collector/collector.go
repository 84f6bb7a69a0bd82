// SPDX-License-Identifier: Apache-2.0

package collector

//go:generate go test -run "^(TestPage|TestGolden|TestRules|TestRuns|TestDenials)$" -update .

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/scan"
)

// Scrape is what one scrape shows: a [prometheus.Collector]. What is nil or false is left
// out. Nothing of it may be changed until it has been collected.
type Scrape struct {
	// Snapshot is what this scrape's scan returned. If it failed, it is nil, and no fact
	// of the kernel is shown but what was counted of processes that ended.
	Snapshot *scan.Snapshot
	// Rights shows for each right how many processes are restricted in it, and Hardening
	// how many have other hardening.
	Rights, Hardening bool
	Workloads         *WorkloadOptions
	Rules             *Rules
	Denials           *Denials
	// Runs are no facts of Snapshot: they are shown without one, too.
	Runs   *Runs
	Config *Config
	Daemon *Daemon
}

const (
	ifScanned = "if the scan succeeded"
	allStates = "all states, if the scan succeeded"
	ifMeant   = "if the scan succeeded and Landlock is disabled or the source finds out what " +
		"domains handle"
)

// views returns all, in the order in which people read their metrics. To add one: a file
// with its table, and a line here.
func views() []view {
	return []view{
		factMetrics,
		restrictedMetrics,
		hardeningMetrics,
		daemonMetrics,
		assetMetrics,
		workloadMetrics,
		denialMetrics,
		ruleMetrics,
		runMetrics,
		configMetrics,
	}
}

// view is a table of metrics.
type view interface {
	docs() []Doc
	describe(chan<- *prometheus.Desc)
	collect(*Scrape, chan<- prometheus.Metric)
}

// Describe sends the descriptors of all metrics of this package.
func (s *Scrape) Describe(ch chan<- *prometheus.Desc) {
	for _, v := range views() {
		v.describe(ch)
	}
}

// Collect sends what the scrape shows.
func (s *Scrape) Collect(ch chan<- prometheus.Metric) {
	for _, v := range views() {
		v.collect(s, ch)
	}
}

// Docs returns every metric of this package, in the order in which people read
// them: the kernel's facts first. The result is the caller's.
func Docs() []Doc {
	var facts, own []Doc
	for _, v := range views() {
		for _, d := range v.docs() {
			if strings.HasPrefix(d.Name, "landlockd_") {
				own = append(own, d)
			} else {
				facts = append(facts, d)
			}
		}
	}
	return append(facts, own...)
}
