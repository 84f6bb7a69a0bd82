// SPDX-License-Identifier: Apache-2.0
function(config)
  local g = (import 'lib.libsonnet')(config);
  local q = g.query;
  local by = config.clusterLabel;
  local m = { c: g.cluster, f: g.facts, by: by, r: 'rule=~"$rule"', window: config.ruleWindow, share: config.ruleShare };
  local result(name) = q('sum by (%(by)s, instance, rule) (landlock_rule_processes{%(f)s, %(r)s, result="%(name)s"}) > 0' % (m { name: name }));

  g.dashboard('rule', 'Landlock / Rule', 'One rule over all hosts: where it is violated, by what, and why.', ['rule', 'instance'], [
    {
      title: 'State',
      panels: [
        g.stat('Hosts', 'Hosts to which the rule applies.', 'short', q('sum(rule:landlock_hosts:count{%(c)s, %(r)s})' % m)),
        g.stat('Violating hosts', 'Hosts on which the rule is violated in most scrapes of the window of the alert.', 'short', q('sum(rule:landlock_hosts_violating:sum{%(c)s, %(r)s})' % m), g.zeroIsGood),
        g.stat('Share of hosts', 'Violating hosts divided by hosts to which the rule applies.', 'percentunit', q('sum(rule:landlock_hosts_violating:sum{%(c)s, %(r)s}) / sum(rule:landlock_hosts:count{%(c)s, %(r)s})' % m), g.thresholds([[null, 'green'], [0.001, 'orange'], [0.1, 'red']])),
        g.stat('Broken hosts', 'Hosts on which something that violated the rule ended in the window of the alert.', 'short', q('sum(rule:landlock_hosts_broken:sum{%(c)s, %(r)s})' % m), g.zeroIsGood),
        g.stat('Compliant runs', 'Of the processes of the rule that ended lately, the compliant ones divided by those of which it is known.', 'percentunit', q('sum(rule:landlock_runs:rate{%(c)s, %(r)s, result="compliant"}) / (sum(rule:landlock_runs:rate{%(c)s, %(r)s, result!="unknown"}) > 0)' % m), g.coverage),
        g.stat('Unknown processes', 'Processes of the rule of which it is not known whether they comply.', 'short', q('sum(landlock_rule_processes{%(f)s, %(r)s, result="unknown"})' % m), g.thresholds([[null, 'green'], [1, 'yellow']])),
        g.graph('Processes by result', 'What the rule says of its processes. starting: not as expected, but younger than the grace.', 'short', q('sum by (result) (landlock_rule_processes{%(f)s, %(r)s})' % m, '{{result}}'), stack=true),
        g.graph('Share of hosts that violate it', 'By cluster and rule, over the window of the alert.', 'percentunit', q('rule:landlock_hosts_violating:ratio{%(c)s, %(r)s}' % m, '{{%s}} {{rule}}' % by), max=1),
        g.graph('Runs by result', 'What the rule says of its processes that ended. short: as violating, but ended within the grace.', 'ops', q('sum by (result) (rule:landlock_runs:rate{%(c)s, %(r)s})' % m, '{{result}}'), stack=true),
        g.graph('Hosts where it was broken', 'By cluster and rule: hosts on which something that violated the rule ended in the window of the alert.', 'short', q('rule:landlock_hosts_broken:sum{%(c)s, %(r)s}' % m, '{{%s}} {{rule}}' % by)),
      ],
    },
    {
      title: 'Where and why',
      panels: [
        g.table(
          'Violations',
          'Hosts, workloads and reasons now. Restarting a program is the only way to give it a sandbox that it lacks.',
          [q('max by (%(by)s, instance, rule, workload, reason) (landlock_rule_violations{%(f)s, %(r)s})' % m)],
          [{ name: 'Processes', unit: 'short' }],
          [[by, 'Cluster'], ['instance', 'Host'], ['rule', 'Rule'], ['workload', 'Workload'], ['reason', 'Reason']],
          { Host: g.toDashboard('host', 'instance'), Workload: g.toDashboard('workload', 'workload') },
        ),
        g.table(
          'Last broken',
          'When the last process of a workload ended that violated the rule, on the hundred hosts where that was last.',
          [q('topk(100, max by (%(by)s, instance, rule, workload) (landlock_rule_last_broken_timestamp_seconds{%(f)s, %(r)s})) * 1000' % m)],
          [{ name: 'Ended', unit: 'dateTimeFromNow' }],
          [[by, 'Cluster'], ['instance', 'Host'], ['rule', 'Rule'], ['workload', 'Workload']],
          { Host: g.toDashboard('host', 'instance'), Workload: g.toDashboard('workload', 'workload') },
        ),
        g.graph('Hosts by reason', 'On how many hosts the rule is violated for which reason, now. The first reason that holds is given.', 'short', q('count by (reason) (group by (%(by)s, instance, reason) (landlock_rule_violations{%(f)s, %(r)s}))' % m, '{{reason}}'), stack=true),
        g.graph('Time in violation', "Share of scrapes of the alert's window in which the rule was violated, on the twenty worst hosts. The alert fires above %g." % config.ruleShare, 'percentunit', q('topk(20, avg_over_time(landlock_rule_violated{%(f)s, %(r)s}[%(window)s]) > 0)' % m, '{{instance}} {{rule}}'), max=1),
        g.table(
          'Hosts that do not comply or are not known to',
          'Processes of the rule by result, on hosts where some are not compliant.',
          [result('violating'), result('starting'), result('unknown')],
          [{ name: 'Violating', unit: 'short', thresholds: g.zeroIsGood }, { name: 'Starting', unit: 'short' }, { name: 'Unknown', unit: 'short' }],
          [[by, 'Cluster'], ['instance', 'Host'], ['rule', 'Rule']],
          { Host: g.toDashboard('host', 'instance') },
        ),
      ],
    },
  ])
