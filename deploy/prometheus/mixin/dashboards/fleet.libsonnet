// SPDX-License-Identifier: Apache-2.0
function(config)
  local g = (import 'lib.libsonnet')(config);
  local q = g.query;
  local by = config.clusterLabel;
  local share(sum) = 'sum(%(sum)s{%(c)s, state="sandboxed"}) / sum(%(sum)s{%(c)s, state!="unknown"})' % { sum: sum, c: g.cluster };

  local effective(what) = '(sum(cluster:landlock_%(what)s:sum{%(c)s, state="sandboxed"}) - sum(cluster:landlock_%(what)s_ineffective:sum{%(c)s})) / sum(cluster:landlock_%(what)s:sum{%(c)s, state!="unknown"})' % { what: what, c: g.cluster };

  local worstHosts = 'topk(%d, max by (%s, instance) (instance:landlock_rules_violating:count{%s}))' % [config.worstHosts, by, g.cluster];

  g.dashboard('fleet', 'Landlock / Fleet', 'What share of services and processes is sandboxed with Landlock, and where it is not.', [], [
    {
      title: 'Coverage',
      panels: [
        g.stat('Workload coverage', 'Sandboxed workloads (services, containers) divided by those whose state is known: sums over hosts, not an average of ratios.', 'percentunit', q(share('cluster:landlock_workloads:sum')), g.coverage),
        g.stat('Effective workload coverage', 'The same without workloads that are known to be ineffective: they are sandboxed, and no right is restricted. Where that is unknown a workload counts as effective.', 'percentunit', q(effective('workloads')), g.coverage),
        g.stat('Process coverage', 'Sandboxed processes divided by those whose state is known. Builds and batch jobs move it; workload coverage is the number to watch.', 'percentunit', q(share('cluster:landlock_processes:sum')), g.coverage),
        g.stat('Effective process coverage', 'The same without processes that are known to be ineffective: they are sandboxed, and no right is restricted. Where that is unknown a process counts as effective.', 'percentunit', q(effective('processes')), g.coverage),
        g.stat('Run coverage', 'Of the processes that ended lately, between scrapes too, those that were sandboxed divided by those whose state is known.', 'percentunit', q('sum(cluster:landlock_runs:rate{%(c)s, state="sandboxed"}) / (sum(cluster:landlock_runs:rate{%(c)s, state!="unknown"}) > 0)' % { c: g.cluster }), g.coverage),
        g.stat('Unknown processes', 'Share of all processes of which it is not known whether they are sandboxed. It stands beside coverage, not in it.', 'percentunit', q('sum(cluster:landlock_processes:sum{%(c)s, state="unknown"}) / sum(cluster:landlock_processes:sum{%(c)s})' % { c: g.cluster }), g.thresholds([[null, 'green'], [0.01, 'yellow'], [0.05, 'red']])),
        g.stat('Outside workers', 'Sandboxed processes with a worker, a thread that the kernel made for them (io_uring, vhost), that may act outside of their domains.', 'short', q('sum(cluster:landlock_processes_outside_worker:sum{%s})' % g.cluster), g.thresholds([[null, 'green'], [1, 'yellow']])),
        g.stat('Hosts with facts', 'Hosts whose last scan in a few minutes succeeded: all other figures are about these.', 'short', q('sum(cluster:landlock_hosts:count{%s})' % g.cluster)),
        g.stat('Hosts without facts', 'Hosts where landlockd answers but cannot scan, or does not answer.', 'short', q('sum(cluster:landlockd_hosts_without_facts:count{%s})' % g.cluster), g.zeroIsGood),
        g.stat('Hosts without Landlock', 'Hosts whose kernel does not offer Landlock: nothing on them is sandboxed, and they are in the coverage.', 'short', q('sum(cluster:landlock_hosts:count{%(c)s}) - sum(cluster:landlock_hosts_enabled:sum{%(c)s})' % { c: g.cluster }), g.zeroIsGood, w=3),
        g.stat('Hosts without landlockd', 'Hosts that the inventory job knows and that have no landlockd, whatever hosts are called: they are in no other figure. Empty without such a job.', 'short', q('sum(cluster:landlockd_hosts_missing:count{%s})' % g.cluster), g.zeroIsGood, w=3),
        g.stat('Hosts not joined', 'Hosts of the inventory job that are perhaps ones with landlockd by another name. Of these it is not known; the runbook of LandlockHostsWithoutLandlockd says how to name them alike.', 'short', q('sum(cluster:landlockd_hosts_unjoined:count{%s})' % g.cluster), g.thresholds([[null, 'green'], [1, 'yellow']]), w=3),
        g.stat('Alerts', 'Alerts of this mixin that fire.', 'short', q('count(ALERTS{%s, alertname=~"Landlock.*", alertstate="firing"}) or vector(0)' % g.cluster), g.zeroIsGood, w=3),
        g.graph('Workloads by state', 'All workloads of all hosts. partial: some threads are sandboxed and some are not.', 'short', q('sum by (state) (cluster:landlock_workloads:sum{%s})' % g.cluster, '{{state}}'), stack=true),
        g.graph('Workload coverage by cluster', 'Sandboxed workloads divided by known ones, and the same without those that are known to be ineffective.', 'percentunit', [
          q('cluster:landlock_workload_coverage:ratio{%s}' % g.cluster, '{{%s}}' % by),
          q('cluster:landlock_workload_effective_coverage:ratio{%s}' % g.cluster, '{{%s}}, effective' % by),
        ], max=1),
        g.graph('Processes by state', 'All processes of all hosts, without kernel threads and zombies.', 'short', q('sum by (state) (cluster:landlock_processes:sum{%s})' % g.cluster, '{{state}}'), stack=true),
        g.graph('Mean nesting depth', 'Domains around a process, on average over known processes; 0 is no domain.', 'short', q('sum by (%(by)s) (cluster:landlock_process_layers:sum{%(c)s}) / sum by (%(by)s) (cluster:landlock_processes:sum{%(c)s, state!="unknown"})' % { by: by, c: g.cluster }, '{{%s}}' % by)),
        g.graph('Runs by state', 'Processes that ended, by the state of all threads that ended with them.', 'ops', q('sum by (state) (cluster:landlock_runs:rate{%s})' % g.cluster, '{{state}}'), stack=true),
        g.graph('Run coverage by cluster', 'Runs that ended sandboxed divided by those whose state is known.', 'percentunit', q('cluster:landlock_run_coverage:ratio{%s}' % g.cluster, '{{%s}}' % by), max=1),
      ],
    },
    {
      title: 'What violates rules, the worst first',
      panels: [
        g.table(
          'Rules',
          'Every rule that applies somewhere: on how many hosts, and on how many of them it is violated, over the window of the alert. Broken: on how many something that violated it ended lately. Since: start of the oldest process that violates it now; of too few processes, when landlockd found so.',
          [
            q('sum by (rule, severity) (rule:landlock_hosts:count{%s})' % g.cluster),
            q('sum by (rule, severity) (rule:landlock_hosts_violating:sum{%s})' % g.cluster),
            q('sum by (rule, severity) (rule:landlock_hosts_violating:sum{%(c)s}) / sum by (rule, severity) (rule:landlock_hosts:count{%(c)s})' % { c: g.cluster }),
            q('sum by (rule, severity) (rule:landlock_hosts_broken:sum{%s})' % g.cluster),
            q('min by (rule, severity) (rule:landlock_rule_violating_since_timestamp_seconds:min{%s}) * 1000' % g.cluster),
          ],
          [
            { name: 'Hosts', unit: 'short' },
            { name: 'Violating', unit: 'short', thresholds: g.zeroIsGood },
            { name: 'Share', unit: 'percentunit' },
            { name: 'Broken', unit: 'short', thresholds: g.zeroIsGood },
            { name: 'Since', unit: 'dateTimeFromNow' },
          ],
          [['rule', 'Rule'], ['severity', 'Severity']],
          { Rule: g.toDashboard('rule', 'rule') },
          w=14,
          worst='Violating'
        ),
        g.table(
          'Clusters',
          'Hosts that violate some rule, and violated rules of all hosts added up, over the window of the alert. Since: start of the oldest process that violates any now.',
          [
            q('sum by (%s) (cluster:landlock_hosts_violating:sum{%s})' % [by, g.cluster]),
            q('sum by (%s) (rule:landlock_hosts_violating:sum{%s})' % [by, g.cluster]),
            q('min by (%s) (rule:landlock_rule_violating_since_timestamp_seconds:min{%s}) * 1000' % [by, g.cluster]),
          ],
          [
            { name: 'Violating hosts', unit: 'short', thresholds: g.zeroIsGood },
            { name: 'Violations', unit: 'short', thresholds: g.zeroIsGood },
            { name: 'Since', unit: 'dateTimeFromNow' },
          ],
          [[by, 'Cluster']],
          w=10,
          worst='Violations'
        ),
        g.timeline(
          'Since when',
          'How long each rule had been violated by then, on any host: the age of the oldest process that violated it. In the first colour no host is known to violate it; the next is less than an hour, then less than a day, then longer. A gap: the rule applied nowhere.',
          's',
          q('time() - min by (rule) (rule:landlock_rule_violating_since_timestamp_seconds:min{%(c)s}) or 0 * sum by (rule) (rule:landlock_hosts:count{%(c)s})' % { c: g.cluster }, '{{rule}}'),
          g.thresholds([[null, 'green'], [1, 'yellow'], [3600, 'orange'], [86400, 'red']])
        ),
        g.table(
          'Services that violate a rule',
          'On how many hosts a workload violated a rule that is violated there over the window of the alert. A host names at most twenty violations.',
          [q('sum by (workload, rule) (workload:landlock_hosts_violating:count{%s})' % g.cluster)],
          [{ name: 'Hosts', unit: 'short', thresholds: g.zeroIsGood }],
          [['workload', 'Workload'], ['rule', 'Rule']],
          { Workload: g.toDashboard('workload', 'workload'), Rule: g.toDashboard('rule', 'rule') },
          w=12,
          worst='Hosts'
        ),
        g.table(
          'Hosts that violate most rules',
          'The %(n)d hosts that violate most rules over the window of the alert. Since: start of the oldest process that violates any now. Of each cluster, %(n)d hosts are known.' % { n: config.worstHosts },
          [
            q(worstHosts),
            q('min by (%(by)s, instance) (instance:landlock_rule_violating_since_timestamp_seconds:min{%(c)s}) * 1000 and on (%(by)s, instance) %(worst)s' % { by: by, c: g.cluster, worst: worstHosts }),
          ],
          [
            { name: 'Violated rules', unit: 'short', thresholds: g.zeroIsGood },
            { name: 'Since', unit: 'dateTimeFromNow' },
          ],
          [[by, 'Cluster'], ['instance', 'Host']],
          { Host: g.toDashboard('host', 'instance') },
          w=12,
          worst='Violated rules'
        ),
        g.graph('Hosts that violate a rule', 'Hosts on which the rule is violated in most scrapes of the window of the alert.', 'short', q('sum by (rule) (rule:landlock_hosts_violating:sum{%s})' % g.cluster, '{{rule}}'), h=9),
        g.table(
          'Waived rules',
          'Rules with a waiver: on how many hosts something is waived now, how many processes are, and when the first waiver in force ends. From then on what it accepts is a violation.',
          [
            q('sum by (rule) (rule:landlock_hosts_waived:sum{%s})' % g.cluster),
            q('sum by (rule) (rule:landlock_processes_waived:sum{%s})' % g.cluster),
            q('min by (rule) (rule:landlock_rule_waived_until_timestamp_seconds:min{%s}) * 1000' % g.cluster),
          ],
          [
            { name: 'Hosts', unit: 'short' },
            { name: 'Processes', unit: 'short' },
            { name: 'Ends', unit: 'dateTimeFromNow' },
          ],
          [['rule', 'Rule']],
          { Rule: g.toDashboard('rule', 'rule') },
          w=12
        ),
        g.stat('Hosts with other rules than most', 'Hosts whose configuration is not the one that most hosts of their cluster have: a roll-out that has not reached them, or a change by hand.', 'short', q('sum(cluster:landlockd_hosts_drifted:count{%s})' % g.cluster), g.zeroIsGood, w=6),
        g.table(
          'Which hosts have other rules',
          'Hosts with other rules than most of their cluster, and on how many hosts just these rules are. The hash is of all configuration files together.',
          [q('max by (%s, instance, hash) (instance:landlockd_config_hosts:count{%s})' % [by, g.cluster])],
          [{ name: 'Hosts with these', unit: 'short' }],
          [[by, 'Cluster'], ['instance', 'Host'], ['hash', 'Configuration']],
          { Host: g.toDashboard('host', 'instance') },
          w=18
        ),
      ],
    },
    {
      title: 'Which services Landlock does not keep from what matters',
      panels: [
        g.bars('Kept from an asset', 'Of the sandboxed processes of which it is known, those that Landlock keeps from the asset. Unix permissions are not looked at.', 'percentunit', q('sum by (asset) (cluster:landlock_asset_processes:sum{%(c)s, reach="out_of_reach"}) / (sum by (asset) (cluster:landlock_asset_processes:sum{%(c)s, reach!="unknown"}) > 0)' % { c: g.cluster }, '{{asset}}'), w=8, h=9),
        g.table(
          'Services within reach of an asset',
          'Sandboxed processes that Landlock does not keep from an asset, and on how many hosts they are. Hosts name at most a hundred workloads each. What is not sandboxed at all is not here.',
          [
            q('sum by (workload, asset) (workload:landlock_asset_processes:sum{%s})' % g.cluster),
            q('sum by (workload, asset) (workload:landlock_asset_hosts:count{%s})' % g.cluster),
          ],
          [
            { name: 'Processes', unit: 'short', thresholds: g.thresholds([[null, 'text'], [1, 'orange']]) },
            { name: 'Hosts', unit: 'short' },
          ],
          [['asset', 'Asset'], ['workload', 'Workload']],
          { Workload: g.toDashboard('workload', 'workload') },
          w=16,
          worst='Processes'
        ),
      ],
    },
    {
      title: 'Workloads',
      panels: [
        g.table(
          'Workloads',
          'Processes of each workload over all hosts. Hosts name at most a hundred workloads each.',
          [
            q('sum by (workload) (workload:landlock_processes:sum{%(c)s, state="sandboxed"}) / (sum by (workload) (workload:landlock_processes:sum{%(c)s, state!="unknown"}) > 0)' % { c: g.cluster }),
            q('sum by (workload) (workload:landlock_processes:sum{%s, state!="unknown"})' % g.cluster),
            q('sum by (workload) (workload:landlock_hosts:count{%s})' % g.cluster),
            q('sum by (workload) (workload:landlock_hosts_unsandboxed:sum{%s})' % g.cluster),
          ],
          [
            { name: 'Coverage', unit: 'percentunit', thresholds: g.coverage },
            { name: 'Processes', unit: 'short' },
            { name: 'Hosts', unit: 'short' },
            { name: 'Hosts with an unsandboxed process', unit: 'short' },
          ],
          [['workload', 'Workload']],
          { Workload: g.toDashboard('workload', 'workload') },
          worst='Hosts with an unsandboxed process'
        ),
        g.graph('Runs that were not sandboxed', 'Processes that ended unsandboxed or partial, of the twenty workloads with most of them.', 'ops', q('topk(20, sum by (workload) (workload:landlock_runs:rate{%s}))' % g.cluster, '{{workload}}'), w=24),
      ],
    },
    {
      title: 'Hosts',
      panels: [
        g.table(
          'Hosts with the lowest coverage',
          'The fifty hosts with the smallest share of sandboxed workloads.',
          [
            q('bottomk(50, instance:landlock_workload_coverage:ratio{%s})' % g.cluster),
          ],
          [{ name: 'Workload coverage', unit: 'percentunit', thresholds: g.coverage }],
          [[by, 'Cluster'], ['instance', 'Host']],
          { Host: g.toDashboard('host', 'instance') },
          w=12
        ),
        g.table(
          'Hosts that cannot be scanned',
          'Hosts whose last scan failed: each source, whether it is unavailable, and what it lacks.',
          [q('max by (%s, instance, source, reason) (instance:landlockd_source_unavailable:max{%s})' % [by, g.cluster])],
          [{ name: 'Unavailable', unit: 'short', thresholds: g.zeroIsGood }],
          [[by, 'Cluster'], ['instance', 'Host'], ['source', 'Source'], ['reason', 'Reason']],
          { Host: g.toDashboard('host', 'instance') },
          w=12
        ),
        g.bars('Kernels by Landlock ABI', "Hosts by the version of the kernel's Landlock ABI; 0 is none. A right can be restricted only from its ABI on.", 'short', q('sum by (abi) (cluster:landlock_hosts_by_abi:count{%s})' % g.cluster, 'ABI {{abi}}'), g.neutral, w=6),
        g.bars('Hosts without a fix', "Hosts whose kernel says that it lacks the fix of an erratum of Landlock. Numbers are the kernel's; kernels before 6.15 mostly say nothing.", 'short', q('sum by (erratum) (cluster:landlock_hosts_without_fix:sum{%s})' % g.cluster, 'erratum {{erratum}}'), g.zeroIsGood, w=6),
        g.bars('Hosts by landlockd version', 'What a roll-out has reached.', 'short', q('sum by (version) (cluster:landlockd_hosts_by_version:count{%s})' % g.cluster, '{{version}}'), g.neutral, w=6),
        g.bars('Hosts by source of facts', 'How hosts read domains, and where domain IDs come from.', 'short', q('sum by (source, ids) (cluster:landlockd_hosts_by_source:count{%s})' % g.cluster, '{{source}}, IDs {{ids}}'), g.neutral, w=6),
      ],
    },
    {
      title: 'What sandboxes restrict',
      panels: [
        g.bars('Processes that restrict a right', 'Share of processes all of whose threads restrict the right, on hosts whose kernel has the right.', 'percentunit', q('sum by (right) (right:landlock_processes_restricted:sum{%(c)s}) / (sum by (right) (right:landlock_processes:sum{%(c)s}) > 0)' % { c: g.cluster }, '{{right}}'), h=12),
        g.graph('Denials', 'Accesses that sandboxes denied, by cluster: a lower bound.', 'ops', q('cluster:landlock_denials:rate{%s}' % g.cluster, '{{%s}}' % by), h=12),
      ],
    },
  ])
