// SPDX-License-Identifier: Apache-2.0

package collector

// metricID is an index of the table.
type metricID int

const (
	enabled metricID = iota
	abiVersion
	kernelInfo
	processes
	threads
	processCoverage
	unknownProcesses
	processesByDepth
	processLayers
	nestingDepthMax
	nestingDepthLimit
	domains

	sourceInfo
	sourceAvailable
	scanSuccess
	scanDuration
	scanTasks
	lastScanTimestamp
	scanErrors
	disagreements
	confined
	buildInfo

	numMetrics

	firstFact, lastFact     = enabled, domains
	firstDaemon, lastDaemon = sourceInfo, buildInfo
)

const (
	ifScanned = "if the scan succeeded"
	allStates = "all states, if the scan succeeded"
)

// table holds every metric of this package. It is never written.
var table = [numMetrics]Doc{
	enabled: {
		Name:    "landlock_enabled",
		Type:    Gauge,
		Help:    "1 if the kernel can sandbox processes with Landlock. 0 if Landlock is absent or was not enabled at boot; then every process is unsandboxed.",
		Present: ifScanned,
	},
	abiVersion: {
		Name:    "landlock_abi_version",
		Type:    Gauge,
		Help:    "Version of the kernel's Landlock ABI, 0 without Landlock.",
		Present: ifScanned,
	},
	kernelInfo: {
		Name:    "landlock_kernel_info",
		Type:    Gauge,
		Help:    "Always 1. The running kernel.",
		Labels:  []Label{{"release", "the release as uname(2) tells it"}},
		Present: ifScanned,
	},
	processes: {
		Name:    "landlock_processes",
		Type:    Gauge,
		Help:    "User processes by state. sandboxed: every task is in a domain. partial: some are, some are not. unsandboxed: none is. unknown: it could not be told.",
		Labels:  []Label{{"state", "`sandboxed`, `partial`, `unsandboxed`, `unknown`"}},
		Present: allStates,
	},
	threads: {
		Name:    "landlock_threads",
		Type:    Gauge,
		Help:    "Tasks (threads) of user processes by state. A task is in a domain or is not: none is partial.",
		Labels:  []Label{{"state", "`sandboxed`, `unsandboxed`, `unknown`"}},
		Present: allStates,
	},
	processCoverage: {
		Name:    "landlock_process_coverage_ratio",
		Type:    Gauge,
		Help:    "Sandboxed processes divided by sandboxed, partial and unsandboxed ones. Do not average over hosts: divide sums of landlock_processes.",
		Present: "if the scan succeeded and the state of some process is known",
	},
	unknownProcesses: {
		Name:    "landlock_unknown_processes",
		Type:    Gauge,
		Help:    "Processes in state unknown by reason. denied: the kernel refused the read. hidden: it does not show the attribute. changing: the process changed during every read. malformed: the kernel's answer was not understood.",
		Labels:  []Label{{"reason", "`denied`, `hidden`, `changing`, `malformed`"}},
		Present: "all reasons, if the scan succeeded",
	},
	processesByDepth: {
		Name:    "landlock_processes_by_depth",
		Type:    Gauge,
		Help:    "Processes by the depth of their shallowest task, so that a partial process counts at 0. Unknown ones are not counted.",
		Labels:  []Label{{"depth", "`0` to `16`; `17+` above"}},
		Present: "`0`, `1` and the depths that occur, if the scan succeeded",
	},
	processLayers: {
		Name:    "landlock_process_layers",
		Type:    Gauge,
		Help:    "Sum of the depths of all processes, each counted at its shallowest task. Divide by processes to get the mean depth, of one host or of many.",
		Present: ifScanned,
	},
	nestingDepthMax: {
		Name:    "landlock_nesting_depth_max",
		Type:    Gauge,
		Help:    "Depth of the deepest task of any process, 0 if none is sandboxed.",
		Present: ifScanned,
	},
	nestingDepthLimit: {
		Name:    "landlock_nesting_depth_limit",
		Type:    Gauge,
		Help:    "Number of layers that a task can have on this kernel, 0 without Landlock.",
		Present: ifScanned,
	},
	domains: {
		Name:    "landlock_domains",
		Type:    Gauge,
		Help:    "Domains with a live task in them or in a domain nested in them.",
		Present: ifScanned,
	},

	sourceInfo: {
		Name: "landlockd_source_info",
		Type: Gauge,
		Help: "Always 1. How each kind of fact is obtained on this host.",
		Labels: []Label{
			{"source", "`taskiter`, `procattr`, `both`"},
			{"ids", "where domain IDs come from: `kernel`, `derived`, `none`"},
			{"lineage", "how it is told which domain is nested in which: `known`, `inferred`, `none`"},
			{"rules", "whether the rules of domains are read: `read`, `unread`, `none`"},
			{"denials", "how denials are counted: `counters`, `none`"},
			{"pidns", "`init`: every process of the host is seen; `nested`: only those of a PID namespace"},
		},
		Present: ifScanned,
	},
	sourceAvailable: {
		Name: "landlockd_source_available",
		Type: Gauge,
		Help: "1 if the source works on this host, 0 if it does not, with the reason.",
		Labels: []Label{
			{"source", "`taskiter`, `procattr`"},
			{"reason", "empty for a source that works, else its short name for what is missing"},
		},
		Present: "every source that was tried",
	},
	scanSuccess: {
		Name:    "landlockd_scan_success",
		Type:    Gauge,
		Help:    "1 if this scrape's scan succeeded. If 0, no landlock_* metric is exported.",
		Present: "always",
	},
	scanDuration: {
		Name:    "landlockd_scan_duration_seconds",
		Type:    Gauge,
		Help:    "How long this scrape's scan took; if it failed, the last scan that ended.",
		Present: "after the first scan",
	},
	scanTasks: {
		Name:    "landlockd_scan_tasks",
		Type:    Gauge,
		Help:    "Tasks that the source returned in the first pass of this scrape's scan, zombies and others that are not counted included.",
		Present: ifScanned,
	},
	lastScanTimestamp: {
		Name:    "landlockd_last_scan_timestamp_seconds",
		Type:    Gauge,
		Help:    "Time at which the last successful scan began, in seconds since the epoch, 0 if there was none.",
		Present: "always",
	},
	scanErrors: {
		Name:    "landlockd_scan_errors_total",
		Type:    Counter,
		Help:    "Scans that failed, and scrapes whose deadline passed before their scan ended (timeout), by reason.",
		Labels:  []Label{{"reason", "`timeout`, `internal` and those of the sources"}},
		Present: "the daemon only, not `once`; reasons that are known at start begin at 0",
	},
	disagreements: {
		Name:    "landlockd_source_disagreements_total",
		Type:    Counter,
		Help:    "Statements about a process in which two sources disagreed: its state, which others share its domain, its domain's ID.",
		Present: "with `--source=both`",
	},
	confined: {
		Name:    "landlockd_confined",
		Type:    Gauge,
		Help:    "1 if the daemon itself is confined by the mechanism.",
		Labels:  []Label{{"mechanism", "how a process gives up rights, for example `landlock`"}},
		Present: "every mechanism that the daemon knows",
	},
	buildInfo: {
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
}
