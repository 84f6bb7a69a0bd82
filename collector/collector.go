// SPDX-License-Identifier: Apache-2.0

package collector

//go:generate go test -run "^(TestPage|TestGolden|TestRules|TestRuns|TestDenials)$" -update .

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/landlockd/landlockd/internal/families"
	"github.com/landlockd/landlockd/scan"
)

// Scrape is what one scrape shows: a [prometheus.Collector], for a registry; and a
// [prometheus.Gatherer], which returns what a registry of it alone returns at a part of the
// cost. What is nil or false is left out. Nothing of it may be changed until it has been
// collected.
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
	addTo(*families.Memory, *Scrape)
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

// Gather returns what the scrape shows, as a registry does that nothing else is in.
func (s *Scrape) Gather() ([]*dto.MetricFamily, error) { return s.GatherIn(&Memory{}) }

// Memory is what families are gathered in, one scrape after the other. The zero value is
// ready to use. It is not safe for concurrent use.
type Memory struct{ families families.Memory }

// GatherIn is Gather in memory that may have been used before: what was gathered in it then
// must not be used any more. As in a registry, what panics is an error, and the rest is there.
func (s *Scrape) GatherIn(m *Memory) ([]*dto.MetricFamily, error) {
	m.families.Reset()
	for _, v := range views() {
		s.add(v, &m.families)
	}
	return m.families.Families()
}

func (s *Scrape) add(v view, to *families.Memory) {
	defer func() {
		if r := recover(); r != nil {
			to.Fail(fmt.Errorf("collecting panicked: %v\n%s", r, debug.Stack()))
		}
	}()
	v.addTo(to, s)
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
