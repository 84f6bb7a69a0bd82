// SPDX-License-Identifier: Apache-2.0
{
  local c = $._config,
  local alert = (import 'alert.libsonnet')(c),

  // A query in a text. It names the host by its labels; a cluster label that
  // only external systems see is empty here, and matches its absence.
  local cluster = '$labels.' + c.clusterLabel,

  // Which workloads violate a rule and why, of the host of the alert.
  local reasons =
    '{{ range printf `max by (workload, reason) (last_over_time(landlock_rule_violations{' + c.clusterLabel +
    '=%q, job=%q, instance=%q, rule=%q}[' + c.ruleWindow + ']))` ' + cluster +
    ' $labels.job $labels.instance $labels.rule | query | sortByLabel "workload" }}' +
    ' {{ or .Labels.workload "(no process)" }}: {{ .Labels.reason }} ({{ .Value }}).{{ end }}',

  // On which hosts of a cluster a rule is violated; at most ten.
  local someHosts =
    '{{ range printf `topk(10, count by (instance) (avg_over_time(landlock_rule_violated{' + c.clusterLabel +
    '=%q, rule=%q}[' + c.ruleWindow + ']) > ' + c.ruleShare + '))` ' + cluster + ' $labels.rule | query | sortByLabel "instance" }}' +
    ' {{ .Labels.instance }}{{ end }}',

  local sources =
    '{{ range printf `landlockd_source_available{' + c.clusterLabel +
    '=%q, job=%q, instance=%q} == 0` ' + cluster + ' $labels.job $labels.instance | query | sortByLabel "source" }}' +
    ' {{ .Labels.source }}: {{ .Labels.reason }}.{{ end }}',

  // More of what landlockd leaves out than a day ago: on some hosts some is usual. A host
  // without a past had none. The median over a window passes over what is there for moments.
  local moreThanUsual(metric, value='quantile_over_time(0.5, %s)') =
    local of(ago) = 'sum by (%(host)s) (' + value % (metric + '{%(facts)s}[%(blindWindow)s]' + ago) + ')';
    |||
      label_replace(
        %s
        > %%(blindFactor)g * (%s or 0 * %s) + %%(blindLeast)g,
        "metric", "%s", "", ""
      )
    ||| % [of(''), of(' offset %(blindAgo)s'), of(''), metric],

  local violated = 'avg_over_time(landlock_rule_violated{%(facts)s}[%(ruleWindow)s]) > %(ruleShare)g',
  local disabled = 'avg_over_time(landlock_enabled{%(facts)s}[%(disabledWindow)s]) < 0.5',

  prometheusAlerts+:: {
    groups+: [{
      name: 'landlockd',
      rules: [
        // Before the rules' alerts, which it inhibits. For each severity of a
        // violated rule there is one of the same severity: an inhibition must
        // not turn a critical alert into a warning.
        alert(
          'LandlockDisabled',
          |||
            label_replace(%(disabled)s, "severity", "%%(severity)s", "", "")
            or on (%%(host)s, severity)
            (
              max by (%%(host)s, severity) (%(violated)s)
              and on (%%(host)s)
              %(disabled)s
            )
          ||| % { disabled: disabled, violated: violated } % (c { severity: c.severities.LandlockDisabled }),
          c.disabledFor,
          'The kernel of {{ $labels.instance }} does not offer Landlock.',
          'Landlock is absent or was not enabled at boot: nothing on {{ $labels.instance }} is sandboxed, whatever its programs believe.',
          severity=false
        ),
        // From the same series as LandlockRuleViolated, not from a recorded one:
        // it must not be late.
        alert(
          'LandlockRuleViolatedOnManyHosts',
          |||
            (
              sum by (%%(clusterLabel)s, rule, severity) (%(bool)s)
              / count by (%%(clusterLabel)s, rule, severity) (%(bool)s)
            ) > %%(manyHostsShare)g
            and
            sum by (%%(clusterLabel)s, rule, severity) (%(bool)s) >= %%(manyHostsMin)g
          ||| % { bool: std.strReplace(violated, '>', '> bool') },
          c.manyHostsFor,
          'Rule {{ $labels.rule }} is violated on {{ $value | humanizePercentage }} of its hosts.',
          'A change that reached many hosts is more likely than many faults. Some of the hosts:' + someHosts + '.',
          severity=false
        ),
        alert(
          'LandlockRuleViolated',
          violated,
          c.ruleFor,
          'Rule {{ $labels.rule }} is violated on {{ $labels.instance }}.',
          'On {{ $labels.instance }} rule {{ $labels.rule }} was violated in {{ $value | humanizePercentage }} of the scrapes of the last ' + c.ruleWindow + '. Workloads, reasons, processes:' + reasons,
          severity=false
        ),
        // In more than a tenth of the scrapes something is younger than its
        // grace and not as it should be, and never is anything compliant.
        alert(
          'LandlockRuleNeverSettles',
          |||
            quantile_over_time(0.9, landlock_rule_processes{%%(facts)s, result="starting"}[%%(settleWindow)s]) > 0
            unless on (%%(host)s, rule)
            max_over_time(landlock_rule_processes{%%(facts)s, result="compliant"}[%%(settleWindow)s]) > 0
            unless on (%%(host)s, rule)
            %s
          ||| % violated,
          c.settleFor,
          'Rule {{ $labels.rule }} on {{ $labels.instance }} finds only processes too young to judge.',
          'For ' + c.settleWindow + ' no process of rule {{ $labels.rule }} was as expected on {{ $labels.instance }}, and new ones that are not keep starting. Something restarts before its grace is over.',
        ),
        // More than half of the scrapes of the window.
        alert(
          'LandlockRuleUnknown',
          'quantile_over_time(0.5, landlock_rule_processes{%(facts)s, result="unknown"}[%(unknownWindow)s]) > 0',
          c.unknownFor,
          'Rule {{ $labels.rule }} cannot be judged on {{ $labels.instance }}.',
          'In most scrapes of the last ' + c.unknownWindow + ' it could not be told whether {{ $value | humanize }} processes of rule {{ $labels.rule }} are sandboxed.',
        ),
        alert(
          'LandlockdDown',
          'avg_over_time(up{%(daemon)s}[%(downWindow)s]) < 0.5',
          c.downFor,
          'landlockd on {{ $labels.instance }} cannot be scraped.',
          'Only {{ $value | humanizePercentage }} of the scrapes of the last ' + c.downWindow + ' succeeded: nothing is known of the sandboxes of {{ $labels.instance }}.',
        ),
        alert(
          'LandlockdScanFailing',
          'avg_over_time(landlockd_scan_success{%(facts)s}[%(scanWindow)s]) < %(scanShare)g',
          c.scanFor,
          'landlockd on {{ $labels.instance }} cannot scan.',
          'Only {{ $value | humanizePercentage }} of the scans of the last ' + c.scanWindow + ' succeeded. Sources that do not work:' + sources,
        ),
        alert(
          'LandlockdReloadFailed',
          'max_over_time(landlockd_config_last_reload_successful{%(facts)s}[%(reloadWindow)s]) == 0',
          c.reloadFor,
          'landlockd on {{ $labels.instance }} rejected its configuration.',
          'The last attempt to load the configuration failed: the rules from before it are in force.',
        ),
        // Without Landlock there is no domain; before ABI 2 (Linux 5.19) one capability is left.
        alert(
          'LandlockdUnconfined',
          |||
            max_over_time(landlockd_confined{%(daemon)s, mechanism!~"landlock|capabilities"}[%(confinedWindow)s]) == 0
            or
            (
              max_over_time(landlockd_confined{%(daemon)s, mechanism="landlock"}[%(confinedWindow)s]) == 0
              and on (%(host)s)
              max_over_time(landlock_abi_version{%(daemon)s}[%(confinedWindow)s]) >= 1
              or
              max_over_time(landlockd_confined{%(daemon)s, mechanism="capabilities"}[%(confinedWindow)s]) == 0
              and on (%(host)s)
              max_over_time(landlock_abi_version{%(daemon)s}[%(confinedWindow)s]) >= 2
            )
          |||,
          c.confinedFor,
          'landlockd on {{ $labels.instance }} is not confined by {{ $labels.mechanism }}.',
          'Whoever takes over the part of it that listens can do more on {{ $labels.instance }} than that needs.',
        ),
        alert(
          'LandlockdBlind',
          std.join('or\n', [
            moreThanUsual('landlockd_domains_unread'),
            moreThanUsual('landlockd_workloads_folded'),
            moreThanUsual('landlockd_rule_match_unknown_processes'),
            moreThanUsual('landlockd_denials_lost_total', 'increase(%s)'),
          ]),
          c.blindFor,
          'landlockd on {{ $labels.instance }} leaves out more than usual.',
          '{{ $labels.metric }} is {{ $value | humanize }}. Somebody on {{ $labels.instance }} has so many of something that not all of it is looked at.',
        ),
        alert(
          'LandlockdTextfileStale',
          |||
            time() - landlockd_last_scan_timestamp_seconds{%(textfile)s} > %(textfileMaxAge)g
            and
            landlockd_last_scan_timestamp_seconds{%(textfile)s} > 0
          |||,
          c.textfileFor,
          'The landlockd textfile of {{ $labels.instance }} is old.',
          'It was written {{ $value | humanizeDuration }} ago: what it says of {{ $labels.instance }} may no longer hold.',
        ),
        alert(
          'LandlockHostsWithoutLandlockd',
          'cluster:landlockd_hosts_missing:count > 0',
          c.hostsMissingFor,
          '{{ $value | humanize }} hosts{{ with ' + cluster + ' }} of {{ . }}{{ end }} have no landlockd.',
          'They are in no figure of coverage. The runbook has the query that names them.',
        ),
        alert(
          'LandlockCoverageDropped',
          |||
            avg_over_time(cluster:landlock_workload_coverage:ratio[%(coverageWindow)s] offset %(coverageAgo)s)
            - avg_over_time(cluster:landlock_workload_coverage:ratio[%(coverageWindow)s])
            > %(coverageDrop)g
          |||,
          c.coverageFor,
          'Fewer workloads{{ with ' + cluster + ' }} of {{ . }}{{ end }} are sandboxed than ' + c.coverageAgo + ' ago.',
          'The share of sandboxed workloads fell by {{ $value | humanizePercentage }} of all.',
        ),
      ],
    }],
  },
}
