// SPDX-License-Identifier: Apache-2.0
function(config)
  local g = (import 'lib.libsonnet')(config);
  local q = g.query;
  local by = config.clusterLabel;
  local share(metric) = 'sum(%(m)s{%(f)s, state="sandboxed"}) / sum(%(m)s{%(f)s, state!="unknown"})' % { m: metric, f: g.facts };
  local effective(metric) =
    '(sum(%(m)s{%(f)s, state="sandboxed"}) - (sum(%(m)s_ineffective{%(f)s}) or vector(0))) / sum(%(m)s{%(f)s, state!="unknown"})' % { m: metric, f: g.facts };
  local yesNo(yes, no) = [{ type: 'value', options: { '1': { text: yes, color: 'green', index: 0 }, '0': { text: no, color: 'red', index: 1 } } }];

  g.dashboard('host', 'Landlock / Host', 'One host: what is sandboxed on it, what its rules say, and how landlockd knows.', ['host'], [
    {
      title: 'Coverage',
      panels: [
        g.stat('Landlock', 'Whether the kernel can sandbox processes at all. Of several hosts, the worst.', 'short', q('min(landlock_enabled{%s})' % g.facts), mappings=yesNo('enabled', 'off')),
        g.stat('Workload coverage', 'Sandboxed workloads divided by those whose state is known.', 'percentunit', q(share('landlock_workloads')), g.coverage),
        g.stat('Effective workload coverage', 'The same without workloads that are known to be ineffective: they are sandboxed, and no right is restricted.', 'percentunit', q(effective('landlock_workloads')), g.coverage),
        g.stat('Process coverage', 'Sandboxed processes divided by those whose state is known.', 'percentunit', q(share('landlock_processes')), g.coverage),
        g.stat('Effective process coverage', 'The same without processes that are known to be ineffective: they are sandboxed, and no right is restricted.', 'percentunit', q(effective('landlock_processes')), g.coverage),
        g.stat('Run coverage', 'Of the processes that ended lately, between scrapes too, those that were sandboxed divided by those whose state is known.', 'percentunit', q('sum(rate(landlock_runs_total{%(f)s, state="sandboxed"}[$__rate_interval])) / (sum(rate(landlock_runs_total{%(f)s, state!="unknown"}[$__rate_interval])) > 0)' % { f: g.facts }), g.coverage),
        g.stat('Unknown processes', 'Processes of which it is not known whether they are sandboxed.', 'short', q('sum(landlock_processes{%s, state="unknown"})' % g.facts), g.thresholds([[null, 'green'], [1, 'yellow']])),
        g.stat('Violated rules', 'Rules that are violated now. The alert looks at a window.', 'short', q('sum(landlock_rule_violated{%s}) or vector(0)' % g.facts), g.zeroIsGood),
        g.stat('Broken rules', 'Rules that something violated which ended in the window of the alert.', 'short', q('count(group by (rule) (time() - max_over_time(landlock_rule_last_broken_timestamp_seconds{%s}[%s]) < %d)) or vector(0)' % [g.facts, config.brokenWindow, config.brokenSeconds]), g.zeroIsGood),
        g.stat('Ineffective workloads', 'Sandboxed workloads all of whose processes are known to be restricted in no right.', 'short', q('sum(landlock_workloads_ineffective{%s})' % g.facts), g.thresholds([[null, 'green'], [1, 'yellow']])),
        g.stat('Ineffective processes', 'Sandboxed processes that are known to be restricted in no right: none is restricted in all of their tasks.', 'short', q('sum(landlock_processes_ineffective{%s})' % g.facts), g.thresholds([[null, 'green'], [1, 'yellow']])),
        g.stat('Outside workers', 'Sandboxed processes with a worker, a thread that the kernel made for them (io_uring, vhost), that may act outside of their domains.', 'short', q('sum(landlock_processes_outside_worker{%s})' % g.facts), g.thresholds([[null, 'green'], [1, 'yellow']])),
        g.graph('Workloads by state', 'partial: some threads are sandboxed and some are not. unknown: it is not known.', 'short', q('sum by (state) (landlock_workloads{%s})' % g.facts, '{{state}}'), stack=true),
        g.graph('Processes by state', 'Without kernel threads and zombies.', 'short', q('sum by (state) (landlock_processes{%s})' % g.facts, '{{state}}'), stack=true),
        g.graph('Runs by state', 'Processes that ended, by the state of all threads that ended with them.', 'ops', q('sum by (state) (rate(landlock_runs_total{%s}[$__rate_interval]))' % g.facts, '{{state}}'), stack=true),
        g.graph('Launches by state', 'Programs that ended as they executed another one in their process.', 'ops', q('sum by (state) (rate(landlock_launches_total{%s}[$__rate_interval]))' % g.facts, '{{state}}'), stack=true),
        g.graph('Threads by state', 'A thread is in a domain or is not: none is partial.', 'short', q('sum by (state) (landlock_threads{%s})' % g.facts, '{{state}}'), stack=true, w=8),
        g.graph('Processes by depth', 'A process counts at its shallowest thread; 0 is no domain.', 'short', q('sum by (depth) (landlock_processes_by_depth{%s})' % g.facts, '{{depth}}'), stack=true, w=8),
        g.graph('Nesting', 'The deepest task, and how deep this kernel lets domains be nested.', 'short', [q('max(landlock_nesting_depth_max{%s})' % g.facts, 'deepest'), q('min(landlock_nesting_depth_limit{%s})' % g.facts, 'limit')], w=8),
      ],
    },
    {
      title: 'Rules and workloads',
      panels: [
        g.table(
          'Rules',
          "What each rule says of this host's processes now. starting: not as expected, but younger than the rule's grace.",
          [
            q('max by (%s, instance, rule, severity) (landlock_rule_violated{%s})' % [by, g.facts]),
            q('sum by (%s, instance, rule) (landlock_rule_processes{%s, result="compliant"})' % [by, g.facts]),
            q('sum by (%s, instance, rule) (landlock_rule_processes{%s, result="violating"})' % [by, g.facts]),
            q('sum by (%s, instance, rule) (landlock_rule_processes{%s, result="starting"})' % [by, g.facts]),
            q('sum by (%s, instance, rule) (landlock_rule_processes{%s, result="unknown"})' % [by, g.facts]),
          ],
          [
            { name: 'Violated', unit: 'bool_yes_no', thresholds: g.zeroIsGood },
            { name: 'Compliant', unit: 'short' },
            { name: 'Violating', unit: 'short', thresholds: g.zeroIsGood },
            { name: 'Starting', unit: 'short' },
            { name: 'Unknown', unit: 'short' },
          ],
          [['instance', 'Host'], ['rule', 'Rule'], ['severity', 'Severity']],
          { Rule: g.toDashboard('rule', 'rule') },
        ),
        g.table(
          'Violations',
          'Which workloads violate which rule, and why: at most twenty a host.',
          [q('max by (instance, rule, workload, reason) (landlock_rule_violations{%s})' % g.facts)],
          [{ name: 'Processes', unit: 'short' }],
          [['instance', 'Host'], ['rule', 'Rule'], ['workload', 'Workload'], ['reason', 'Reason']],
          { Rule: g.toDashboard('rule', 'rule'), Workload: g.toDashboard('workload', 'workload') },
          w=12
        ),
        g.table(
          'Waived rules',
          'Rules with a waiver in force: whether something is waived now, how many processes are, and when the first waiver of the rule ends. From then on what it accepts is a violation.',
          [
            q('max by (%s, instance, rule) (landlock_rule_waived{%s})' % [by, g.facts]),
            q('sum by (%s, instance, rule) (landlock_rule_processes{%s, result="waived"})' % [by, g.facts]),
            q('min by (%s, instance, rule) (landlock_rule_waived_until_timestamp_seconds{%s}) * 1000' % [by, g.facts]),
          ],
          [
            { name: 'Waived now', unit: 'bool_yes_no' },
            { name: 'Processes', unit: 'short' },
            { name: 'Ends', unit: 'dateTimeFromNow' },
          ],
          [['instance', 'Host'], ['rule', 'Rule']],
          { Rule: g.toDashboard('rule', 'rule') },
        ),
        g.table(
          'Workloads',
          'Processes of each workload that this host names.',
          [
            q('sum by (instance, workload) (landlock_workload_processes{%s, state="sandboxed"})' % g.facts),
            q('sum by (instance, workload) (landlock_workload_processes{%s, state="partial"})' % g.facts),
            q('sum by (instance, workload) (landlock_workload_processes{%s, state="unsandboxed"})' % g.facts),
            q('sum by (instance, workload) (landlock_workload_processes{%s, state="unknown"})' % g.facts),
          ],
          [
            { name: 'Sandboxed', unit: 'short' },
            { name: 'Partial', unit: 'short' },
            { name: 'Unsandboxed', unit: 'short' },
            { name: 'Unknown', unit: 'short' },
          ],
          [['instance', 'Host'], ['workload', 'Workload']],
          { Workload: g.toDashboard('workload', 'workload') },
          w=12
        ),
      ],
    },
    {
      title: 'Which services Landlock does not keep from what matters',
      panels: [
        g.table(
          'Assets',
          'Sandboxed processes by whether Landlock keeps them from each asset that the host has. Unix permissions are not looked at.',
          [
            q('sum by (instance, asset) (landlock_asset_processes{%s, reach="out_of_reach"})' % g.facts),
            q('sum by (instance, asset) (landlock_asset_processes{%s, reach="within_reach"})' % g.facts),
            q('sum by (instance, asset) (landlock_asset_processes{%s, reach="unknown"})' % g.facts),
          ],
          [
            { name: 'Out of reach', unit: 'short' },
            { name: 'Within reach', unit: 'short', thresholds: g.thresholds([[null, 'text'], [1, 'orange']]) },
            { name: 'Unknown', unit: 'short' },
          ],
          [['instance', 'Host'], ['asset', 'Asset']],
          w=12,
          worst='Within reach'
        ),
        g.table(
          'Services within reach of an asset',
          'Sandboxed processes of a workload that Landlock does not keep from an asset: at most a hundred a host.',
          [q('sum by (instance, workload, asset) (landlock_workload_asset_processes{%s})' % g.facts)],
          [{ name: 'Processes', unit: 'short', thresholds: g.thresholds([[null, 'text'], [1, 'orange']]) }],
          [['instance', 'Host'], ['asset', 'Asset'], ['workload', 'Workload']],
          { Workload: g.toDashboard('workload', 'workload') },
          w=12,
          worst='Processes'
        ),
      ],
    },
    {
      title: 'What ended lately',
      panels: [
        g.table(
          'Last broken rules',
          'When the last process of a workload ended that violated a rule: at most twenty a host.',
          [q('max by (instance, rule, severity, workload) (landlock_rule_last_broken_timestamp_seconds{%s}) * 1000' % g.facts)],
          [{ name: 'Ended', unit: 'dateTimeFromNow' }],
          [['instance', 'Host'], ['rule', 'Rule'], ['severity', 'Severity'], ['workload', 'Workload']],
          { Rule: g.toDashboard('rule', 'rule'), Workload: g.toDashboard('workload', 'workload') },
          w=12
        ),
        g.table(
          'What ran unsandboxed',
          'Processes that ended unsandboxed or partial in the last hour, by workload.',
          [q('sum by (instance, workload, state) (increase(landlock_workload_runs_total{%s}[1h])) > 0' % g.facts)],
          [{ name: 'Runs', unit: 'short' }],
          [['instance', 'Host'], ['workload', 'Workload'], ['state', 'State']],
          { Workload: g.toDashboard('workload', 'workload') },
          w=12
        ),
      ],
    },
    {
      title: 'What sandboxes restrict',
      panels: [
        g.stat('Domains', 'Domains with a live task in them or in a domain nested in them.', 'short', q('sum(landlock_domains{%s})' % g.facts), w=12),
        g.stat('Unread domains', 'Domains that a budget left out of the scan, or not all of whose rules were read. What processes in those that were left out are restricted in is unknown.', 'short', q('sum(landlockd_domains_unread{%s})' % g.facts), g.thresholds([[null, 'green'], [1, 'yellow']]), w=12),
        g.bars('Processes that restrict a right', 'Processes all of whose threads restrict the right. A right that this kernel lacks is not here.', 'short', q('sum by (right) (landlock_processes_restricted{%s})' % g.facts, '{{right}}'), g.neutral),
        g.bars('Other hardening', 'Processes with no_new_privs, with seccomp, without root, in a user namespace of their own.', 'short', q('sum by (feature, state) (landlock_processes_hardened{%s})' % g.facts, '{{feature}}, {{state}}'), g.neutral),
        g.graph('Denials', "Accesses that sandboxes denied, by the kernel's own counts: a lower bound.", 'ops', q('sum by (instance) (rate(landlock_denials_total{%s}[$__rate_interval]))' % g.facts, '{{instance}}')),
        g.graph('Denials by kind', 'What was denied, where the kernel reports each denial.', 'ops', q('sum by (blocker) (rate(landlock_denials_by_blocker_total{%s}[$__rate_interval]))' % g.facts, '{{blocker}}')),
      ],
    },
    {
      title: 'How landlockd knows',
      panels: [
        g.stat('Last scan', 'Whether the last scan succeeded. Of several hosts, the worst.', 'short', q('min(landlockd_scan_success{%s})' % g.facts), mappings=yesNo('succeeded', 'failed')),
        g.stat('Last success', 'When the last scan that succeeded began.', 'dateTimeFromNow', q('min(landlockd_last_scan_timestamp_seconds{%s} > 0) * 1000' % g.facts)),
        g.stat('Configuration', 'Whether the last attempt to load the configuration succeeded; empty without one.', 'short', q('min(landlockd_config_last_reload_successful{%s})' % g.facts), mappings=yesNo('loaded', 'rejected')),
        g.stat('Kernel', 'Release of the kernel.', 'string', q('max by (release) (landlock_kernel_info{%s})' % g.facts, '{{release}}'), text='name'),
        g.stat('Landlock ABI', "Version of the kernel's Landlock ABI; 0 is none.", 'short', q('max by (instance) (landlock_abi_version{%s})' % g.facts)),
        g.stat('landlockd', 'Version of the daemon.', 'string', q('max by (version) (landlockd_build_info{%s})' % g.facts, '{{version}}'), text='name'),
        g.stat('Runs counted since', 'When counting of processes that end began: nothing that ended before is in a figure of runs.', 'dateTimeFromNow', q('max(landlockd_runs_start_timestamp_seconds{%s}) * 1000' % g.facts), w=12),
        g.stat('Lost runs', 'Runs of which only a sum was kept, or not even that: not all is known of them.', 'short', q('sum(landlockd_run_records_lost_total{%s})' % g.facts), g.thresholds([[null, 'green'], [1, 'yellow']]), w=12),
        g.graph('Scan duration', 'How long a scan takes.', 's', q('landlockd_scan_duration_seconds{%s}' % g.facts, '{{instance}}'), w=8),
        g.graph('Tasks read', 'Tasks that the source returned in one pass, with those that are not counted.', 'short', q('landlockd_scan_tasks{%s}' % g.facts, '{{instance}}'), w=8),
        g.graph('Failed scans', 'Scans that failed, and scrapes that did not wait for theirs, by reason.', 'short', q('sum by (reason) (increase(landlockd_scan_errors_total{%s}[$__rate_interval]))' % g.facts, '{{reason}}'), w=8),
        g.graph('Unknown processes by reason', 'denied: the kernel refused the read. hidden: it does not show the attribute. changing: the process changed during every read. malformed: its answer was not understood.', 'short', q('sum by (reason) (landlock_unknown_processes{%s})' % g.facts, '{{reason}}'), stack=true),
        g.table(
          'Source of facts',
          'How each kind of fact is obtained. pidns nested: landlockd sees only a part of the host.',
          [q('max by (instance, source, ids, lineage, rules, denials, runs, pidns) (landlockd_source_info{%s})' % g.facts)],
          [],
          [['instance', 'Host'], ['source', 'Source'], ['ids', 'IDs'], ['lineage', 'Lineage'], ['rules', 'Rules'], ['denials', 'Denials'], ['runs', 'Runs'], ['pidns', 'PID namespace']],
          w=12,
          h=8
        ),
        g.table(
          'Confinement of landlockd',
          'By which mechanisms landlockd itself is confined.',
          [q('max by (instance, mechanism) (landlockd_confined{%s})' % g.facts)],
          [{ name: 'Confined', unit: 'bool_yes_no' }],
          [['instance', 'Host'], ['mechanism', 'Mechanism']],
          w=12,
          h=6
        ),
        g.table(
          'Errata of Landlock',
          "Whether this kernel has the fix, by the kernel's number of the erratum. Empty if it does not say.",
          [q('max by (instance, erratum) (landlock_kernel_erratum_fixed{%s})' % g.facts)],
          [{ name: 'Fixed', unit: 'bool_yes_no' }],
          [['instance', 'Host'], ['erratum', 'Erratum']],
          w=12,
          h=6
        ),
      ],
    },
  ])
