// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/landlockd/landlockd/scan"
)

// Daemon is the daemon's own state at one scrape.
type Daemon struct {
	// Scans are the counts after this scrape's scan. A nil Errors exports no
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

// daemon is a Daemon and what it scanned: nil if the scan failed.
type daemon struct {
	*Daemon
	snap *scan.Snapshot
}

var daemonMetrics = newTable(func(s *Scrape) *daemon {
	if s.Daemon == nil {
		return nil
	}
	return &daemon{s.Daemon, s.Snapshot}
}, []metric[daemon]{
	{
		Doc: Doc{
			Name: "landlockd_source_info",
			Type: Gauge,
			Help: "Always 1. How each kind of fact is obtained on this host.",
			Labels: []Label{
				{"source", "`taskiter`, `procattr`, `both`"},
				{"ids", "where domain IDs come from: `kernel`, `derived`, `none`"},
				{"lineage", "how it is told which domain is nested in which: `known`, `inferred`, `none`"},
				{"rules", "whether the rules of domains are read: `read`, `unread`, `none`"},
				{"denials", "how denials are counted: `tracepoints`, `audit`, `counters`, `none`"},
				{"pidns", "`init`: every process of the host is seen; `nested`: only those of a PID namespace"},
			},
			Present: ifScanned,
		},
		values: func(d *daemon, emit emitter) {
			if d.snap != nil {
				s := d.snap.Source
				emit(1, s.Name, s.IDs, s.Lineage, s.Rules, s.Denials, s.PIDNS)
			}
		},
	},
	{
		Doc: Doc{
			Name: "landlockd_source_available",
			Type: Gauge,
			Help: "1 if the source works on this host, 0 if it does not, with the reason.",
			Labels: []Label{
				{"source", "`taskiter`, `procattr`"},
				{"reason", "empty for a source that works, else its short name for what is missing"},
			},
			Present: "every source that was tried",
		},
		values: func(d *daemon, emit emitter) {
			for source, reason := range d.Sources {
				emit(boolValue(reason == ""), source, reason)
			}
		},
	},
	{
		Doc: Doc{
			Name:    "landlockd_scan_success",
			Type:    Gauge,
			Help:    "1 if this scrape's scan succeeded. If 0, no landlock_* metric is exported.",
			Present: "always",
		},
		values: func(d *daemon, emit emitter) { emit(boolValue(d.snap != nil)) },
	},
	{
		Doc: Doc{
			Name:    "landlockd_scan_duration_seconds",
			Type:    Gauge,
			Help:    "How long this scrape's scan took; if it failed, the last scan that ended.",
			Present: "after the first scan",
		},
		values: func(d *daemon, emit emitter) {
			switch {
			case d.snap != nil:
				// Another reader's scan may have ended since: Scans could be of that one.
				emit(d.snap.Duration.Seconds())
			case d.Scans.Finished > 0:
				emit(d.Scans.LastDuration.Seconds())
			}
		},
	},
	{
		Doc: Doc{
			Name:    "landlockd_scan_tasks",
			Type:    Gauge,
			Help:    "Tasks that the source returned in the first pass of this scrape's scan, zombies and others that are not counted included.",
			Present: ifScanned,
		},
		values: func(d *daemon, emit emitter) {
			if d.snap != nil {
				emit(float64(d.snap.TasksRead))
			}
		},
	},
	{
		Doc: Doc{
			Name:    "landlockd_last_scan_timestamp_seconds",
			Type:    Gauge,
			Help:    "Time at which the last successful scan began, in seconds since the epoch, 0 if there was none.",
			Present: "always",
		},
		values: func(d *daemon, emit emitter) { emit(unixSeconds(d.Scans.LastSuccess)) },
	},
	{
		Doc: Doc{
			Name: "landlockd_domains_unread",
			Type: Gauge,
			Help: "Domains that this scan left out, or of which it did not read all rules, because of a " +
				"budget. State and depth of the processes in them are exact. What those that were left " +
				"out restrict is unknown; of the others only what those with 65535 rules or more " +
				"restrict of ports.",
			Present: ifScanned,
		},
		values: func(d *daemon, emit emitter) {
			if d.snap != nil {
				emit(float64(d.snap.DomainsUnread))
			}
		},
	},
	{
		Doc: Doc{
			Name:    "landlockd_scan_errors_total",
			Type:    Counter,
			Help:    "Scans that failed, and scrapes whose deadline passed before their scan ended (timeout), by reason.",
			Labels:  []Label{{"reason", "`timeout`, `internal` and those of the sources"}},
			Present: "the daemon only, not `once`; reasons that are known at start begin at 0",
		},
		values: func(d *daemon, emit emitter) { emitMap(emit, d.Scans.Errors) },
	},
	{
		Doc: Doc{
			Name:    "landlockd_source_disagreements_total",
			Type:    Counter,
			Help:    "Statements about a process in which two sources disagreed: its state, which others share its domain, its domain's ID.",
			Present: "with `--source=both`",
		},
		values: func(d *daemon, emit emitter) {
			if d.Disagreements != nil {
				emit(float64(d.Disagreements()))
			}
		},
	},
	{
		Doc: Doc{
			Name:    "landlockd_confined",
			Type:    Gauge,
			Help:    "1 if the daemon itself is confined by the mechanism.",
			Labels:  []Label{{"mechanism", "how a process gives up rights, for example `landlock`"}},
			Present: "every mechanism that the daemon knows",
		},
		values: func(d *daemon, emit emitter) {
			for mechanism, on := range d.Confined {
				emit(boolValue(on), mechanism)
			}
		},
	},
	{
		Doc: Doc{
			Name: "landlockd_build_info",
			Type: Gauge,
			Help: "Always 1. What landlockd was built from.",
			Labels: []Label{
				{"version", "the release"},
				{"revision", "the commit"},
				{"goversion", "the Go release that built it"},
			},
			Present: "always",
		},
		values: func(d *daemon, emit emitter) {
			emit(1, d.Build.Version, d.Build.Revision, d.Build.GoVersion)
		},
	},
})

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}
