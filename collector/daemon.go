// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/scan"
)

// Daemon is the daemon's own state at one scrape.
type Daemon struct {
	// Snapshot is what this scrape's scan returned; nil if it failed.
	Snapshot *scan.Snapshot
	// Scans are the counts after that scan. A nil Errors exports no
	// counter, for a program that ends after one scan.
	Scans scan.Stats
	// Sources is why each source that was tried cannot be used, by the source's name;
	// empty for one that works.
	Sources map[string]string
	// Disagreements returns how often two sources disagreed; nil unless two
	// are compared.
	Disagreements func() uint64
	// Confined reports by which mechanisms the daemon is confined, of all that it knows.
	Confined map[string]bool
	Build    Build
}

// Build is what the daemon was built from.
type Build struct {
	Version, Revision, GoVersion string
}

// NewDaemon returns a collector of the daemon's own state, landlockd_*. Nothing
// of d may be changed until it has been collected.
func NewDaemon(d Daemon) prometheus.Collector { return daemon{d} }

type daemon struct{ Daemon }

func (d daemon) Describe(ch chan<- *prometheus.Desc) { describe(ch, firstDaemon, lastDaemon) }

func (d daemon) Collect(ch chan<- prometheus.Metric) {
	d.collectScan(ch)
	d.collectSources(ch)
	if d.Disagreements != nil {
		emit(ch, disagreements, float64(d.Disagreements()))
	}
	for mechanism, on := range d.Confined {
		emit(ch, confined, boolValue(on), mechanism)
	}
	emit(ch, buildInfo, 1, d.Build.Version, d.Build.Revision, d.Build.GoVersion)
}

func (d daemon) collectScan(ch chan<- prometheus.Metric) {
	emit(ch, scanSuccess, boolValue(d.Snapshot != nil))
	switch {
	case d.Snapshot != nil:
		// Another reader's scan may have ended since: Scans could be of that one.
		emit(ch, scanDuration, d.Snapshot.Duration.Seconds())
		emit(ch, scanTasks, float64(d.Snapshot.TasksRead))
		emit(ch, domainsUnread, float64(d.Snapshot.DomainsUnread))
	case d.Scans.Finished > 0:
		emit(ch, scanDuration, d.Scans.LastDuration.Seconds())
	}
	emit(ch, lastScanTimestamp, unixSeconds(d.Scans.LastSuccess))
	for reason, n := range d.Scans.Errors {
		emit(ch, scanErrors, float64(n), reason)
	}
}

func (d daemon) collectSources(ch chan<- prometheus.Metric) {
	if d.Snapshot != nil {
		s := d.Snapshot.Source
		emit(ch, sourceInfo, 1, s.Name, s.IDs, s.Lineage, s.Rules, s.Denials, s.PIDNS)
	}
	for source, reason := range d.Sources {
		emit(ch, sourceAvailable, boolValue(reason == ""), source, reason)
	}
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}
