// SPDX-License-Identifier: Apache-2.0
function(config)
  local g = (import 'lib.libsonnet')(config);
  local q = g.query;
  local by = config.clusterLabel;
  local m = { c: g.cluster, f: g.facts, by: by, w: 'workload=~"$workload"' };

  g.dashboard('workload', 'Landlock / Workload', 'One workload (service, container or program) over all hosts.', ['workload', 'instance'], [
    {
      title: 'Coverage',
      panels: [
        g.stat('Coverage', 'Sandboxed processes of the workload divided by those whose state is known.', 'percentunit', q('sum(workload:landlock_processes:sum{%(c)s, %(w)s, state="sandboxed"}) / sum(workload:landlock_processes:sum{%(c)s, %(w)s, state!="unknown"})' % m), g.coverage, w=6),
        g.stat('Processes', 'Processes of the workload, whatever their state.', 'short', q('sum(workload:landlock_processes:sum{%(c)s, %(w)s})' % m), w=6),
        g.stat('Hosts', 'Hosts that name the workload. A host names at most a hundred: those with a rule first, then those with a sandboxed process.', 'short', q('sum(workload:landlock_hosts:count{%(c)s, %(w)s})' % m), w=6),
        g.stat('Hosts with an unsandboxed process', 'Hosts on which some process of the workload is unsandboxed or partial.', 'short', q('sum(workload:landlock_hosts_unsandboxed:sum{%(c)s, %(w)s})' % m), g.thresholds([[null, 'green'], [1, 'yellow']]), w=6),
        g.graph('Processes by state', 'Processes of the workload on all hosts of the chosen clusters.', 'short', q('sum by (state) (workload:landlock_processes:sum{%(c)s, %(w)s})' % m, '{{state}}'), stack=true),
        g.graph('Coverage by cluster', 'Sandboxed processes of the workload divided by known ones, on all hosts of a cluster.', 'percentunit', q('sum by (%(by)s) (workload:landlock_processes:sum{%(c)s, %(w)s, state="sandboxed"}) / (sum by (%(by)s) (workload:landlock_processes:sum{%(c)s, %(w)s, state!="unknown"}) > 0)' % m, '{{%s}}' % by), max=1),
        g.graph('Runs that were not sandboxed', 'Processes of the workload that ended unsandboxed or partial.', 'ops', q('sum by (state) (workload:landlock_runs:rate{%(c)s, %(w)s})' % m, '{{state}}'), stack=true),
        g.table(
          'Last broken rules',
          'When the last process of the workload ended that violated a rule, on the hundred hosts where that was last.',
          [q('topk(100, max by (%(by)s, instance, rule, workload) (landlock_rule_last_broken_timestamp_seconds{%(f)s, %(w)s})) * 1000' % m)],
          [{ name: 'Ended', unit: 'dateTimeFromNow' }],
          [[by, 'Cluster'], ['instance', 'Host'], ['rule', 'Rule'], ['workload', 'Workload']],
          { Host: g.toDashboard('host', 'instance'), Rule: g.toDashboard('rule', 'rule') },
          w=12,
          h=8
        ),
      ],
    },
    {
      title: 'What Landlock does not keep it from',
      panels: [
        g.table(
          'Assets',
          'Sandboxed processes of the workload that Landlock does not keep from an asset, and on how many hosts they are. Unix permissions are not looked at.',
          [
            q('sum by (workload, asset) (workload:landlock_asset_processes:sum{%(c)s, %(w)s})' % m),
            q('sum by (workload, asset) (workload:landlock_asset_hosts:count{%(c)s, %(w)s})' % m),
          ],
          [
            { name: 'Processes', unit: 'short', thresholds: g.thresholds([[null, 'text'], [1, 'orange']]) },
            { name: 'Hosts', unit: 'short' },
          ],
          [['asset', 'Asset'], ['workload', 'Workload']],
          w=12,
          worst='Processes'
        ),
        g.graph('Within reach, over time', 'Sandboxed processes of the workload that Landlock does not keep from an asset.', 'short', q('sum by (asset) (workload:landlock_asset_processes:sum{%(c)s, %(w)s})' % m, '{{asset}}'), h=9),
      ],
    },
    {
      title: 'Where',
      panels: [
        g.table(
          'Where it is not sandboxed',
          'The hundred hosts with the most processes of the workload that are not wholly sandboxed.',
          [q('topk(100, sum by (%(by)s, instance, workload) (landlock_workload_processes{%(f)s, %(w)s, state=~"partial|unsandboxed"}) > 0)' % m)],
          [{ name: 'Processes', unit: 'short', thresholds: g.thresholds([[null, 'text'], [1, 'orange']]) }],
          [[by, 'Cluster'], ['instance', 'Host'], ['workload', 'Workload']],
          { Host: g.toDashboard('host', 'instance') },
          w=12
        ),
        g.table(
          'Violations',
          'Rules that the workload violates, why, and on how many hosts.',
          [
            q('count by (rule, reason, workload) (landlock_rule_violations{%(f)s, %(w)s})' % m),
            q('sum by (rule, reason, workload) (landlock_rule_violations{%(f)s, %(w)s})' % m),
          ],
          [{ name: 'Hosts', unit: 'short' }, { name: 'Processes', unit: 'short' }],
          [['rule', 'Rule'], ['workload', 'Workload'], ['reason', 'Reason']],
          { Rule: g.toDashboard('rule', 'rule') },
          w=12
        ),
        g.graph('Hosts that name the workload', 'Hosts that name the workload, by cluster.', 'short', q('sum by (%(by)s) (workload:landlock_hosts:count{%(c)s, %(w)s})' % m, '{{%s}}' % by)),
        g.graph('Hosts with an unsandboxed process, over time', 'By cluster: hosts on which some process of the workload is unsandboxed or partial.', 'short', q('sum by (%(by)s) (workload:landlock_hosts_unsandboxed:sum{%(c)s, %(w)s})' % m, '{{%s}}' % by)),
        g.graph('Denials', 'Accesses that sandboxes of the workload denied, on hosts whose kernel reports each denial.', 'ops', q('sum by (workload) (rate(landlock_workload_denials_total{%(f)s, %(w)s}[$__rate_interval]))' % m, '{{workload}}'), w=24),
      ],
    },
  ])
