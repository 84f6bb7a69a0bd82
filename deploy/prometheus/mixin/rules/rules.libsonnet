// SPDX-License-Identifier: Apache-2.0
//
// Sums of numerators and of denominators, and ratios of those sums: never an
// average of ratios. A host's last facts count for factWindow.
{
  local c = $._config,
  local record(name, expr) = { record: name, expr: expr % c },
  local last(metric, matchers='') =
    'last_over_time(%s{%s%s}[%s])' % [metric, c.facts, if matchers == '' then '' else ', ' + matchers, c.factWindow],

  // Of a metric that is there only above 0: what a host with facts now has no more must not
  // stay for factWindow.
  local lastAboveZero(metric) =
    '%(metric)s{%(facts)s} or (%(last)s unless on (%(host)s) landlock_enabled{%(facts)s})' %
    { metric: metric, facts: c.facts, last: last(metric), host: c.host },

  // Sandboxed / known of a recorded sum. known > 0: where nothing is known
  // there is no ratio. A sum without a sandboxed one is 0, not absent.
  local ratio(sum, by) = |||
    (
      sum by (%(by)s) (%(sum)s{state="sandboxed"})
      or
      0 * sum by (%(by)s) (%(sum)s{state!="unknown"})
    )
    /
    (sum by (%(by)s) (%(sum)s{state!="unknown"}) > 0)
  ||| % { by: by, sum: sum },

  // Of a metric that hosts need not have, for each cluster that has any of a sum.
  local sumOrZero(metric, sum) = |||
    sum by (%%(clusterLabel)s) (%(metric)s)
    or
    0 * sum by (%%(clusterLabel)s) (%(sum)s)
  ||| % { metric: last(metric), sum: sum },

  // Of what is sandboxed, without what is known to be ineffective / known.
  local effective(what, metric) = |||
    cluster:landlock_%(what)s_coverage:ratio
    -
    cluster:landlock_%(metric)s_ineffective:sum
    / sum by (%%(clusterLabel)s) (cluster:landlock_%(metric)s:sum{state!="unknown"})
  ||| % { what: what, metric: metric },

  // The hosts of targets, by what they are called: the highest value of each.
  local hosts(vector) =
    local indented(text) = std.strReplace(std.rstripChars(text, '\n'), '\n', '\n  ');
    local call(text, label, regex) = |||
      label_replace(
        %s,
        "host", "$1", "%s", "%s"
      )
    ||| % [indented(text), label, regex];
    local pod = c.clusterLabel + ', namespace, pod';
    // For moments a pod of one name may be on two nodes.
    local nodes = 'topk by (%s) (1, group by (%s, %s) (%s))' % [pod, pod, c.nodeLabel, c.podNodes];
    local ofPods = |||
      %(vector)s
      * on (%(pod)s) group_left (%(node)s)
      %(nodes)s
      or
      %(vector)s
      unless on (%(pod)s)
      %(nodes)s
    ||| % { vector: vector, pod: pod, node: c.nodeLabel, nodes: nodes };
    local named = call(if c.podNodes == '' then vector else ofPods, 'instance', '(.+?)(:[0-9]+)?');
    |||
      max by (%s, host) (
        %s
      )
    ||| % [c.clusterLabel, indented(if c.nodeLabel == '' then named else call(named, c.nodeLabel, '(.+)'))],

  // Without hosts whose kernel has no Landlock now: what they had of a metric before
  // they booted must not stay for factWindow.
  local unlessDisabled(vector) = '%s unless on (%s) %s == 0' % [vector, c.host, last('landlock_enabled')],

  // Rules of hosts that are violated as the alert has it.
  local violating = 'avg_over_time(landlock_rule_violated{%(facts)s}[%(ruleWindow)s]) > %(ruleShare)g',

  // 1 for each host, with the hash of its configuration as a label.
  local configs = 'count_values by (%s) ("hash", %s)' % [c.host, last('landlockd_config_hash')],

  prometheusRules+:: {
    groups+: [
      {
        name: 'landlockd-hosts.rules',
        rules: [
          record('instance:landlock_' + what + '_coverage:ratio', |||
            sum by (%%(host)s) (%(sandboxed)s)
            /
            (sum by (%%(host)s) (%(known)s) > 0)
          ||| % {
            sandboxed: last('landlock_%s' % metric, 'state="sandboxed"'),
            known: last('landlock_%s' % metric, 'state!="unknown"'),
          })
          for what in ['workload', 'process']
          for metric in [{ workload: 'workloads', process: 'processes' }[what]]
        ] + [
          // Only of hosts that cannot be scanned.
          record('instance:landlockd_source_unavailable:max', |||
            max by (%(host)s, source, reason) (
              1 - landlockd_source_available{%(facts)s}
              and on (%(host)s)
              landlockd_scan_success{%(facts)s} == 0
            )
          |||),
        ],
      },
      {
        name: 'landlockd-clusters.rules',
        rules: [
          record('cluster:landlock_workloads:sum', 'sum by (%(clusterLabel)s, state) (' + last('landlock_workloads') + ')'),
          record('cluster:landlock_workload_coverage:ratio', ratio('cluster:landlock_workloads:sum', c.clusterLabel)),
          record('cluster:landlock_processes:sum', 'sum by (%(clusterLabel)s, state) (' + last('landlock_processes') + ')'),
          record('cluster:landlock_process_coverage:ratio', ratio('cluster:landlock_processes:sum', c.clusterLabel)),
          record('cluster:landlock_runs:rate', 'sum by (%(clusterLabel)s, state) (rate(landlock_runs_total{%(facts)s}[%(factWindow)s]))'),
          record('cluster:landlock_run_coverage:ratio', ratio('cluster:landlock_runs:rate', c.clusterLabel)),
          record('cluster:landlock_workloads_ineffective:sum', sumOrZero('landlock_workloads_ineffective', 'cluster:landlock_workloads:sum')),
          record('cluster:landlock_workload_effective_coverage:ratio', effective('workload', 'workloads')),
          record('cluster:landlock_processes_ineffective:sum', sumOrZero('landlock_processes_ineffective', 'cluster:landlock_processes:sum')),
          record('cluster:landlock_process_effective_coverage:ratio', effective('process', 'processes')),
          record('cluster:landlock_processes_outside_worker:sum', sumOrZero('landlock_processes_outside_worker', 'cluster:landlock_processes:sum')),
          record('cluster:landlock_asset_processes:sum', 'sum by (%(clusterLabel)s, asset, reach) (' + last('landlock_asset_processes') + ')'),
          record('cluster:landlock_process_layers:sum', 'sum by (%(clusterLabel)s) (' + last('landlock_process_layers') + ')'),
          record('cluster:landlock_hosts:count', 'count by (%(clusterLabel)s) (' + last('landlock_enabled') + ')'),
          record('cluster:landlock_hosts_enabled:sum', 'sum by (%(clusterLabel)s) (' + last('landlock_enabled') + ')'),
          record('cluster:landlockd_hosts:count', 'count by (%(clusterLabel)s) (' + last('landlockd_scan_success') + ')'),
          // 0 where the exporter does not answer: whether such a host has landlockd is not asked.
          record('host:landlockd_inventory:max', hosts('up{%s}' % c.inventorySelector)),
          record('host:landlockd:max', hosts('(up{%(daemon)s} or landlockd_build_info{%(facts)s})')),
          record('cluster:landlockd_hosts_unmatched:count', |||
            count by (%(clusterLabel)s) (host:landlockd_inventory:max == 1 unless on (%(clusterLabel)s, host) host:landlockd:max)
            or
            0 * count by (%(clusterLabel)s) (host:landlockd_inventory:max == 1)
          |||),
          // Each host with landlockd that the inventory does not list may be one that it lists
          // by another name: what is left then has no landlockd, whatever the names mean.
          record('cluster:landlockd_hosts_missing:count', |||
            clamp_min(
              cluster:landlockd_hosts_unmatched:count
              -
              (
                count by (%(clusterLabel)s) (host:landlockd:max unless on (%(clusterLabel)s, host) host:landlockd_inventory:max)
                or
                0 * cluster:landlockd_hosts_unmatched:count
              ),
              0
            )
          |||),
          record('cluster:landlockd_hosts_unjoined:count', 'cluster:landlockd_hosts_unmatched:count - cluster:landlockd_hosts_missing:count'),
          record('cluster:landlockd_hosts_without_facts:count', |||
            count by (%(clusterLabel)s) (up{%(daemon)s} == 0 or landlockd_scan_success{%(facts)s} == 0)
            or
            0 * count by (%(clusterLabel)s) (up{%(daemon)s} or landlockd_scan_success{%(facts)s})
          |||),
          record('cluster:landlock_hosts_by_abi:count', 'count_values by (%(clusterLabel)s) ("abi", ' + last('landlock_abi_version') + ')'),
          record('cluster:landlock_hosts_without_fix:sum', 'sum by (%(clusterLabel)s, erratum) (1 - (' + unlessDisabled(last('landlock_kernel_erratum_fixed')) + '))'),
          record('cluster:landlockd_hosts_by_version:count', 'count by (%(clusterLabel)s, version) (' + last('landlockd_build_info') + ')'),
          record('cluster:landlockd_hosts_by_source:count', 'count by (%(clusterLabel)s, source, ids) (' + last('landlockd_source_info') + ')'),
          record('cluster:landlockd_hosts_by_config:count', 'count by (%(clusterLabel)s, hash) (' + configs + ')'),
          // Of hosts with other rules than most of their cluster: how many have the same. Where two
          // configurations are on equally many hosts none is that of most.
          record('instance:landlockd_config_hosts:count', |||
            %(configs)s
            * on (%%(clusterLabel)s, hash) group_left ()
            cluster:landlockd_hosts_by_config:count
            < on (%%(clusterLabel)s) group_left ()
            max by (%%(clusterLabel)s) (cluster:landlockd_hosts_by_config:count)
          ||| % { configs: configs }),
          record('cluster:landlockd_hosts_drifted:count', |||
            count by (%(clusterLabel)s) (instance:landlockd_config_hosts:count)
            or
            0 * max by (%(clusterLabel)s) (cluster:landlockd_hosts_by_config:count)
          |||),
          record('cluster:landlock_denials:rate', 'sum by (%(clusterLabel)s) (rate(landlock_denials_total{%(facts)s}[%(factWindow)s]))'),
        ],
      },
      {
        name: 'landlockd-workloads.rules',
        rules: [
          record('workload:landlock_processes:sum', 'sum by (%(clusterLabel)s, workload, state) (' + last('landlock_workload_processes') + ')'),
          record('workload:landlock_process_coverage:ratio', ratio('workload:landlock_processes:sum', c.clusterLabel + ', workload')),
          record('workload:landlock_hosts:count',
                 'count by (%(clusterLabel)s, workload) (' + last('landlock_workload_processes', 'state="sandboxed"') + ')'),
          record('workload:landlock_asset_processes:sum',
                 'sum by (%(clusterLabel)s, workload, asset) (' + lastAboveZero('landlock_workload_asset_processes') + ')'),
          record('workload:landlock_asset_hosts:count',
                 'count by (%(clusterLabel)s, workload, asset) (' + lastAboveZero('landlock_workload_asset_processes') + ')'),
          // Most are 0.
          record('workload:landlock_runs:rate',
                 'sum by (%(clusterLabel)s, workload, state) (rate(landlock_workload_runs_total{%(facts)s}[%(factWindow)s]) > 0)'),
          // Most are 0: without those, few are left to be put together by host.
          record('workload:landlock_hosts_unsandboxed:sum', |||
            count by (%%(clusterLabel)s, workload) (group by (%%(host)s, workload) (%s > 0))
            or
            0 * workload:landlock_hosts:count
          ||| % last('landlock_workload_processes', 'state=~"partial|unsandboxed"')),
        ],
      },
      {
        name: 'landlockd-rules.rules',
        rules: [
          record('rule:landlock_hosts:count',
                 'count by (%(clusterLabel)s, rule, severity) (avg_over_time(landlock_rule_violated{%(facts)s}[%(ruleWindow)s]))'),
          record('rule:landlock_hosts_violating:sum',
                 'sum by (%(clusterLabel)s, rule, severity) (avg_over_time(landlock_rule_violated{%(facts)s}[%(ruleWindow)s]) > bool %(ruleShare)g)'),
          record('rule:landlock_hosts_violating:ratio', 'rule:landlock_hosts_violating:sum / rule:landlock_hosts:count'),
          record('rule:landlock_hosts_broken:sum', |||
            count by (%(clusterLabel)s, rule, severity) (group by (%(host)s, rule, severity) (
              time() - max_over_time(landlock_rule_last_broken_timestamp_seconds{%(facts)s}[%(brokenWindow)s]) < %(brokenSeconds)d
            ))
          |||),
          record('cluster:landlock_hosts_violating:sum', |||
            count by (%%(clusterLabel)s) (group by (%%(host)s) (%s))
            or
            0 * sum by (%%(clusterLabel)s) (rule:landlock_hosts:count)
          ||| % violating),
          // Of what is not a process, too_few, there is no workload.
          record('workload:landlock_hosts_violating:count', |||
            count by (%%(clusterLabel)s, workload, rule) (
              group by (%%(host)s, workload, rule) (last_over_time(landlock_rule_violations{%%(facts)s, workload!=""}[%%(ruleWindow)s]))
              and on (%%(host)s, rule)
              (%s)
            )
          ||| % violating),
          // So few that their number does not grow with that of hosts.
          record('instance:landlock_rules_violating:count', 'topk by (%%(clusterLabel)s) (%%(worstHosts)d, count by (%%(host)s) (%s))' % violating),
          record('rule:landlock_rule_violating_since_timestamp_seconds:min',
                 'min by (%(clusterLabel)s, rule, severity) (' + lastAboveZero('landlock_rule_violating_since_timestamp_seconds') + ')'),
          record('instance:landlock_rule_violating_since_timestamp_seconds:min', |||
            min by (%%(host)s) (%s)
            and on (%%(host)s)
            instance:landlock_rules_violating:count
          ||| % lastAboveZero('landlock_rule_violating_since_timestamp_seconds')),
          record('rule:landlock_hosts_waived:sum', 'sum by (%(clusterLabel)s, rule) (' + last('landlock_rule_waived') + ')'),
          record('rule:landlock_processes_waived:sum', 'sum by (%(clusterLabel)s, rule) (' + last('landlock_rule_processes', 'result="waived"') + ')'),
          record('rule:landlock_rule_waived_until_timestamp_seconds:min',
                 'min by (%(clusterLabel)s, rule) (' + lastAboveZero('landlock_rule_waived_until_timestamp_seconds') + ')'),
          record('rule:landlock_runs:rate', 'sum by (%(clusterLabel)s, rule, result) (rate(landlock_rule_runs_total{%(facts)s}[%(factWindow)s]))'),
        ],
      },
      {
        name: 'landlockd-rights.rules',
        rules: [
          record('right:landlock_processes_restricted:sum', 'sum by (%(clusterLabel)s, right) (' + unlessDisabled(last('landlock_processes_restricted')) + ')'),
          // The known processes of those hosts only whose kernel has the right.
          record('right:landlock_processes:sum', |||
            sum by (%%(clusterLabel)s, right) (
              0 * (%s)
              + on (%%(host)s) group_left ()
              sum by (%%(host)s) (%s)
            )
          ||| % [unlessDisabled(last('landlock_processes_restricted')), last('landlock_processes', 'state!="unknown"')]),
          record('right:landlock_processes_restricted:ratio', 'right:landlock_processes_restricted:sum / (right:landlock_processes:sum > 0)'),
        ],
      },
    ],
  },
}
