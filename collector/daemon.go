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
		name: "landlockd_source_info",
		help: "Always 1. How each kind of fact is obtained on this host.",
		labels: []Label{
			{"source", "`taskiter`, `procattr`, `both`"},
			{"ids", "where domain IDs come from: `kernel`, `derived`, `none`"},
			{"lineage", "how it is known which domain is nested in which: `known`, `inferred`, " +
				"`none`"},
			{"rules", "whether the rules of domains are read: `read`, `unread`, `none`"},
			{"denials", "how denials are counted: `tracepoints`, `audit`, `counters`, `none`"},
			{"pidns", "`init`: every process of the host is seen; `nested`: only those of a PID " +
				"namespace"},
		},
		present: ifScanned,
		values: func(d *daemon, emit emitter) {
			if d.snap != nil {
				s := d.snap.Source
				emit(1, s.Name, s.IDs, s.Lineage, s.Rules, s.Denials, s.PIDNS)
			}
		},
	},
	{
		name: "landlockd_source_available",
		help: "1 if the source works on this host, 0 if it does not, with the reason.",
		labels: []Label{
			{"source", "`taskiter`, `procattr`"},
			{"reason", "empty for a source that works, else its short name for what is missing"},
		},
		present: "every source that was tried",
		values: func(d *daemon, emit emitter) {
			for source, reason := range d.Sources {
				emit(boolValue(reason == ""), source, reason)
			}
		},
	},
	{
		name:    "landlockd_scan_success",
		help:    "1 if this scrape's scan succeeded. If 0, no landlock_* metric is exported.",
		present: "always",
		values:  func(d *daemon, emit emitter) { emit(boolValue(d.snap != nil)) },
	},
	{
		name:    "landlockd_scan_duration_seconds",
		help:    "How long this scrape's scan took; if it failed, the last scan that ended.",
		present: "after the first scan",
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
		name: "landlockd_scan_tasks",
		help: "Tasks that the source returned in the first pass of this scrape's scan, zombies " +
			"and others that are not counted included.",
		present: ifScanned,
		values: func(d *daemon, emit emitter) {
			if d.snap != nil {
				emit(float64(d.snap.TasksRead))
			}
		},
	},
	{
		name: "landlockd_last_scan_timestamp_seconds",
		help: "Time at which the last successful scan began, in seconds since the epoch, 0 if " +
			"there was none.",
		present: "always",
		values:  func(d *daemon, emit emitter) { emit(unixSeconds(d.Scans.LastSuccess)) },
	},
	{
		name: "landlockd_domains_unread",
		help: "Domains that this scan left out, or of which it did not read all rules, because " +
			"of a budget. State and depth of the processes in them are exact. What those that " +
			"were left out restrict is unknown; of the others only what those with 65535 rules " +
			"or more restrict of ports.",
		present: ifScanned,
		values: func(d *daemon, emit emitter) {
			if d.snap != nil {
				emit(float64(d.snap.DomainsUnread))
			}
		},
	},
	{
		name: "landlockd_scan_errors_total",
		help: "Scans that failed, and scrapes whose deadline passed before their scan ended " +
			"(timeout), by reason.",
		labels:  []Label{{"reason", "`timeout`, `internal` and those of the sources"}},
		present: "the daemon only, not `once`; reasons that are known at start begin at 0",
		values:  func(d *daemon, emit emitter) { emitMap(emit, d.Scans.Errors) },
	},
	{
		name: "landlockd_source_disagreements_total",
		help: "Statements about a process in which two sources disagreed: its state, which " +
			"others share its domain, its domain's ID.",
		present: "with `--source=both`",
		values: func(d *daemon, emit emitter) {
			if d.Disagreements != nil {
				emit(float64(d.Disagreements()))
			}
		},
	},
	{
		name:    "landlockd_confined",
		help:    "1 if the daemon itself is confined by the mechanism.",
		labels:  []Label{{"mechanism", "how a process gives up rights, for example `landlock`"}},
		present: "every mechanism that the daemon knows",
		values: func(d *daemon, emit emitter) {
			for mechanism, on := range d.Confined {
				emit(boolValue(on), mechanism)
			}
		},
	},
	{
		name: "landlockd_build_info",
		help: "Always 1. What landlockd was built from.",
		labels: []Label{
			{"version", "the release"},
			{"revision", "the commit"},
			{"goversion", "the Go release that built it"},
		},
		present: "always",
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
