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
	// ConfineFailed is why each mechanism does not hold, of a daemon that scans nothing
	// because of that.
	ConfineFailed map[string]string
	Build         Build
}

// Build is what the daemon was built from, in the words of prometheus/common/version.
type Build struct {
	Version, Revision, Branch, GoVersion, GoOS, GoArch, Tags string
}

var daemonMetrics = newTable(func(s *Scrape) *Scrape {
	if s.Daemon == nil {
		return nil
	}
	return s
}, []metric[Scrape]{
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
			{"runs", "how processes that ended are counted: `tracepoints`, `none`"},
			{"pidns", "`init`: every process of the host is seen; `nested`: only those of a PID " +
				"namespace"},
		},
		present: ifScanned,
		values: func(s *Scrape, emit emitter) {
			if s.Snapshot != nil {
				of := s.Snapshot.Source
				emit(1, of.Name, of.IDs, of.Lineage, of.Rules, of.Denials, of.Runs, of.PIDNS)
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
		values: func(s *Scrape, emit emitter) {
			for source, reason := range s.Daemon.Sources {
				emit(boolValue(reason == ""), source, reason)
			}
		},
	},
	{
		name: "landlockd_scan_success",
		help: "1 if this scrape's scan succeeded. If 0, no landlock_* metric is exported but " +
			"of processes that ended (runs, launches, and what rules say of them).",
		present: "always",
		values:  func(s *Scrape, emit emitter) { emit(boolValue(s.Snapshot != nil)) },
	},
	{
		name:    "landlockd_scan_duration_seconds",
		help:    "How long this scrape's scan took; if it failed, the last scan that ended.",
		present: "after the first scan",
		values: func(s *Scrape, emit emitter) {
			switch {
			case s.Snapshot != nil:
				// Another reader's scan may have ended since: Scans could be of that one.
				emit(s.Snapshot.Duration.Seconds())
			case s.Daemon.Scans.Finished > 0:
				emit(s.Daemon.Scans.LastDuration.Seconds())
			}
		},
	},
	{
		name: "landlockd_scan_tasks",
		help: "Tasks that the source returned in the first pass of this scrape's scan, zombies " +
			"and others that are not counted included.",
		present: ifScanned,
		values: func(s *Scrape, emit emitter) {
			if s.Snapshot != nil {
				emit(float64(s.Snapshot.TasksRead))
			}
		},
	},
	{
		name: "landlockd_last_scan_timestamp_seconds",
		help: "Time at which the last successful scan began, in seconds since the epoch, 0 if " +
			"there was none.",
		present: "always",
		values:  func(s *Scrape, emit emitter) { emit(unixSeconds(s.Daemon.Scans.LastSuccess)) },
	},
	{
		name: "landlockd_domains_unread",
		help: "Domains that this scan left out, or of which it did not read all rules, because " +
			"of a budget. State and depth of the processes in them are exact. What those that " +
			"were left out restrict is unknown; of the others only what those with 65535 rules " +
			"or more restrict of ports.",
		present: ifScanned,
		values: func(s *Scrape, emit emitter) {
			if s.Snapshot != nil {
				emit(float64(s.Snapshot.DomainsUnread))
			}
		},
	},
	{
		name: "landlockd_scan_errors_total",
		help: "Scans that failed, and scrapes whose deadline passed before their scan ended " +
			"(timeout), by reason.",
		labels:  []Label{{"reason", "`timeout`, `internal` and those of the sources"}},
		present: "the daemon only, not `once`; reasons that are known at start begin at 0",
		values:  func(s *Scrape, emit emitter) { emitMap(emit, s.Daemon.Scans.Errors) },
	},
	{
		name: "landlockd_source_disagreements_total",
		help: "Statements about a process in which two sources disagreed: its state, which " +
			"others share its domain, its domain's ID.",
		present: "with `--source=both`",
		values: func(s *Scrape, emit emitter) {
			if s.Daemon.Disagreements != nil {
				emit(float64(s.Daemon.Disagreements()))
			}
		},
	},
	{
		name: "landlockd_confined",
		help: "1 if the daemon itself, with all of its processes, is confined by the mechanism.",
		labels: []Label{{"mechanism", "`capabilities`, `dumpable` (it is not), `groups`, " +
			"`inherited` (nothing is, but what was handed on), `keyring`, `landlock`, " +
			"`no_new_privs`, `seccomp`, `user`"}},
		present: "every mechanism that the daemon knows",
		values: func(s *Scrape, emit emitter) {
			for mechanism, on := range s.Daemon.Confined {
				emit(boolValue(on), mechanism)
			}
		},
	},
	{
		name: "landlockd_confine_failed",
		help: "1 for each mechanism that does not hold and without which the daemon scans " +
			"nothing, with the reason.",
		labels: []Label{
			{"mechanism", "as of `landlockd_confined`"},
			{"reason", "`refused` (a system call that it takes), `unsupported` (by the kernel), " +
				"`too_many_layers`, `root` (is the user or group), `read_back` (no step failed, but " +
				"the kernel shows otherwise), `unread`"},
		},
		present: "only with `--confine=require`, or with capabilities that are not meant; " +
			"no metric but `landlockd_*` is there then",
		values: func(s *Scrape, emit emitter) {
			for mechanism, reason := range s.Daemon.ConfineFailed {
				emit(1, mechanism, reason)
			}
		},
	},
	{
		name: "landlockd_build_info",
		help: "Always 1. What landlockd was built from.",
		labels: []Label{
			{"version", "the release"},
			{"revision", "the commit"},
			{"branch", "that it is of"},
			{"goversion", "the Go release that built it"},
			{"goos", "the operating system it is for"},
			{"goarch", "the processor it is for"},
			{"tags", "build tags"},
		},
		present: "always",
		values: func(s *Scrape, emit emitter) {
			b := &s.Daemon.Build
			emit(1, b.Version, b.Revision, b.Branch, b.GoVersion, b.GoOS, b.GoArch, b.Tags)
		},
	},
})

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}
