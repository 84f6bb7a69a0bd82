// SPDX-License-Identifier: Apache-2.0

package collector

// metricID is an index of the table.
type metricID int

const (
	enabled metricID = iota
	abiVersion
	kernelInfo
	erratumFixed
	processes
	threads
	processCoverage
	processesIneffective
	processesOutsideWorker
	unknownProcesses
	processesByDepth
	processLayers
	nestingDepthMax
	nestingDepthLimit
	domains

	processesRestricted
	processesHardened

	workloads
	workloadCoverage
	workloadsIneffective
	workloadProcesses

	denialsTotal
	denialsByBlocker
	workloadDenials

	ruleProcesses
	ruleViolated
	ruleViolations

	sourceInfo
	sourceAvailable
	scanSuccess
	scanDuration
	scanTasks
	lastScanTimestamp
	domainsUnread
	scanErrors
	disagreements
	confined
	buildInfo

	workloadsFolded
	workloadsUnresolved

	denialsLost

	ruleMatchUnknown

	rulesByStatus
	configHash
	configReloaded
	configReloadTimestamp

	numMetrics

	firstFact, lastFact         = enabled, domains
	firstWorkload, lastWorkload = workloads, workloadProcesses
	firstDenial, lastDenial     = denialsTotal, workloadDenials
	firstRule, lastRule         = ruleProcesses, ruleViolations
	firstDaemon, lastDaemon     = sourceInfo, buildInfo
	firstNaming, lastNaming     = workloadsFolded, workloadsUnresolved
	firstConfig, lastConfig     = rulesByStatus, configReloadTimestamp
)

const (
	ifScanned = "if the scan succeeded"
	allStates = "all states, if the scan succeeded"
	ifMeant   = "if the scan succeeded and Landlock is disabled or the source finds out what " +
		"domains handle"

	ifNamed    = "if the scan succeeded and workloads were named"
	ifSeries   = "unless `--no-collector.workloads` is given"
	ifCounting = "the daemon only, not `once`, unless `--no-collector.denials` is given; "
	ifTold     = ifCounting + "if the kernel tells of denials one by one: see [denials.md](denials.md)"
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
	erratumFixed: {
		Name: "landlock_kernel_erratum_fixed",
		Type: Gauge,
		Help: "1 if this kernel has the fix of an erratum of Landlock, 0 if it has not.",
		Labels: []Label{{"erratum", "the kernel's number of the erratum: see " +
			"[rights.md](rights.md#errata)"}},
		Present: "if the scan succeeded and the kernel says which fixes it has (Linux 6.15, and " +
			"backports): errata that a kernel of its ABI version can have",
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
	processesIneffective: {
		Name: "landlock_processes_ineffective",
		Type: Gauge,
		Help: "Sandboxed processes that are known to be restricted in no right: none is restricted in all " +
			"of their tasks. Those of which it is unknown are not counted. With " +
			"landlockd_source_info{rules=\"unread\"} what is handled counts as restricted.",
		Present: ifMeant,
	},
	processesOutsideWorker: {
		Name: "landlock_processes_outside_worker",
		Type: Gauge,
		Help: "Sandboxed processes that are known to have a worker, a thread that the kernel made " +
			"for them (io_uring, vhost), that may act outside of their domains. Those of which " +
			"it is unknown are not counted.",
		Present: ifMeant,
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
		Name: "landlock_domains",
		Type: Gauge,
		Help: "Domains with a live task in them or in a domain nested in them, without those that " +
			"were left out: see landlockd_domains_unread.",
		Present: ifScanned,
	},

	processesRestricted: {
		Name: "landlock_processes_restricted",
		Type: Gauge,
		Help: "Sandboxed processes of which every task is known to be restricted in the right: some " +
			"layer of its domain handles it and grants it neither everywhere nor, for ports, without " +
			"limit. With landlockd_source_info{rules=\"unread\"}: handles it. Those of which it is " +
			"unknown are not counted.",
		Labels: []Label{{"right", "each right that this kernel is known to have, by the kernel's own " +
			"name: see [rights.md](rights.md)"}},
		Present: "if the scan succeeded, Landlock is enabled and the source finds out what domains " +
			"handle, unless `--no-collector.rights` is given",
	},
	processesHardened: {
		Name: "landlock_processes_hardened",
		Type: Gauge,
		Help: "Processes all of whose tasks have other hardening, by whether they are sandboxed: " +
			"no_new_privs, seccomp in any mode, an effective user other than root, a user namespace " +
			"other than the initial one.",
		Labels: []Label{
			{"feature", "`no_new_privs`, `seccomp`, `non_root`, `user_namespace`"},
			{"state", "`sandboxed`, `unsandboxed`, and `partial` where there are such; processes in state unknown are not counted"},
		},
		Present: "if the scan succeeded, unless `--no-collector.hardening` is given",
	},

	workloads: {
		Name:    "landlock_workloads",
		Type:    Gauge,
		Help:    "Workloads (systemd units, containers, else executables; each name once) by state, which follows from their processes': partial if one of them is partial or some are sandboxed and some not, else unknown if one is.",
		Labels:  []Label{{"state", "`sandboxed`, `partial`, `unsandboxed`, `unknown`"}},
		Present: "all states, " + ifNamed,
	},
	workloadCoverage: {
		Name:    "landlock_workload_coverage_ratio",
		Type:    Gauge,
		Help:    "Sandboxed workloads divided by sandboxed, partial and unsandboxed ones. Do not average over hosts: divide sums of landlock_workloads.",
		Present: "if the state of some workload is known",
	},
	workloadsIneffective: {
		Name: "landlock_workloads_ineffective",
		Type: Gauge,
		Help: "Sandboxed workloads all of whose processes are ineffective, as in " +
			"landlock_processes_ineffective. Those of which it is unknown are not counted.",
		Present: ifNamed + ", as landlock_processes_ineffective",
	},
	workloadProcesses: {
		Name: "landlock_workload_processes",
		Type: Gauge,
		Help: "Processes of a workload by state, for as many workloads as --workload.limit says. The processes of all others are added up as workload other.",
		Labels: []Label{
			{"workload", "its name, folded: see [workloads.md](workloads.md)"},
			{"state", "`sandboxed`, `partial`, `unsandboxed`, `unknown`"},
		},
		Present: ifSeries + "; `sandboxed` and `unsandboxed` always, the others above 0",
	},

	denialsTotal: {
		Name:    "landlock_denials_total",
		Type:    Counter,
		Help:    "Accesses that Landlock denied since landlockd started, by the kernel's own count for each domain. A lower bound: what a domain denied after the last scan before its end is not seen.",
		Present: ifCounting + "if the kernel counts (Linux 6.15, with audit)",
	},
	denialsByBlocker: {
		Name:    "landlock_denials_by_blocker_total",
		Type:    Counter,
		Help:    "Denials by what blocked the access. One that had several blockers counts for each. With audit these are those that are logged, which is not all.",
		Labels:  []Label{{"blocker", "a right, see [rights.md](rights.md), `ptrace`, `fs.change_topology`, or `unknown` for a name that is not known here"}},
		Present: ifTold + "; what this kernel has begins at 0",
	},
	workloadDenials: {
		Name:    "landlock_workload_denials_total",
		Type:    Counter,
		Help:    "Denials by the workload of the process that was denied, as the next scan finds it. process:unknown: it was gone by then, or several share the domain. other: those beyond --workload.limit, with all that was denied them before they lost their series.",
		Labels:  []Label{{"workload", "its name, folded: see [workloads.md](workloads.md)"}},
		Present: ifTold + "; " + ifSeries + "; chosen as in [denials.md](denials.md#what-the-numbers-mean)",
	},

	ruleProcesses: {
		Name: "landlock_rule_processes",
		Type: Gauge,
		Help: "Processes that a rule is about by what it says of them. starting: it would be violating but is younger than the rule's grace. unknown: it could not be told.",
		Labels: []Label{
			{"rule", "the rule's name"},
			{"result", "`compliant`, `violating`, `starting`, `unknown`"},
		},
		Present: "all results of rules that were about some process since they were loaded, or have min_processes, if the scan succeeded",
	},
	ruleViolated: {
		Name: "landlock_rule_violated",
		Type: Gauge,
		Help: "1 if a process violates the rule or fewer than its min_processes run, else 0: for unknown and starting ones alone, too.",
		Labels: []Label{
			{"rule", "the rule's name"},
			{"severity", "`info`, `warning`, `critical`"},
		},
		Present: "as landlock_rule_processes",
	},
	ruleViolations: {
		Name: "landlock_rule_violations",
		Type: Gauge,
		Help: "Processes that violate a rule, by the first reason that holds; for too_few, how many are missing.",
		Labels: []Label{
			{"rule", "the rule's name"},
			{"reason", "`landlock_disabled`, `unsandboxed`, `partial`, `restricts_nothing`, " +
				"`too_shallow`, `too_deep`, `right_not_restricted`, `outside_worker`, " +
				"`sandboxed`, `too_few`"},
			{"workload", "the processes' workload; empty for `too_few`"},
		},
		Present: "only above 0, and the first 20 of the host, in the order of the rules",
	},
	ruleMatchUnknown: {
		Name: "landlockd_rule_match_unknown_processes",
		Type: Gauge,
		Help: "Processes of which it is not known whether some rule is about them, by the first reason. " +
			"They count in no rule; landlockd check names them.",
		Labels: []Label{
			{"reason", "what is not known: `cgroup`, `container_name`, `executable` (or not all of its path), " +
				"`parent` (or its workload), `ancestors` (or their executables), `user`, `command_line`"},
		},
		Present: "all reasons, if rules are loaded and the scan succeeded",
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
			{"denials", "how denials are counted: `tracepoints`, `audit`, `counters`, `none`"},
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
	domainsUnread: {
		Name: "landlockd_domains_unread",
		Type: Gauge,
		Help: "Domains that this scan left out, or of which it did not read all rules, because of a " +
			"budget. State and depth of the processes in them are exact. What those that were left " +
			"out restrict is unknown; of the others only what those with 65535 rules or more " +
			"restrict of ports.",
		Present: ifScanned,
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

	workloadsFolded: {
		Name:    "landlockd_workloads_folded",
		Type:    Gauge,
		Help:    "Workloads without a series of their own, in landlock_workload_processes with workload other.",
		Present: ifNamed + ", " + ifSeries,
	},
	workloadsUnresolved: {
		Name:    "landlockd_workload_unresolved_processes",
		Type:    Gauge,
		Help:    "Processes whose cgroup's path was not found, so that they are in workloads named after their executables. Those in a cgroup that has just come or gone are among them.",
		Present: ifNamed,
	},

	denialsLost: {
		Name:    "landlockd_denials_lost_total",
		Type:    Counter,
		Help:    "Denials, or audit records that may have told of one, that came faster than landlockd read them. With tracepoints landlock_denials_by_blocker_total has them nevertheless.",
		Present: ifTold,
	},

	rulesByStatus: {
		Name:    "landlockd_rules",
		Type:    Gauge,
		Help:    "Rules in force (loaded), and those of them that were about some process since they were loaded (applied).",
		Labels:  []Label{{"status", "`loaded`, `applied`"}},
		Present: "always",
	},
	configHash: {
		Name:    "landlockd_config_hash",
		Type:    Gauge,
		Help:    "Hash of the contents of the configuration file and of all rule files in force. Hosts with the same files have the same.",
		Present: "always",
	},
	configReloaded: {
		Name:    "landlockd_config_last_reload_successful",
		Type:    Gauge,
		Help:    "1 if the last attempt to load the configuration succeeded. If 0, the rules from before it are in force.",
		Present: "always",
	},
	configReloadTimestamp: {
		Name:    "landlockd_config_last_reload_success_timestamp_seconds",
		Type:    Gauge,
		Help:    "Time at which the configuration in force was loaded, in seconds since the epoch.",
		Present: "always",
	},
}
