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

  local violatedOf(matchers) = 'avg_over_time(landlock_rule_violated{%s}[%%(ruleWindow)s]) > %%(ruleShare)g' % matchers,
  local brokenOf(matchers) = 'time() - max_over_time(landlock_rule_last_broken_timestamp_seconds{%s}[%%(brokenWindow)s]) < %%(brokenSeconds)d' % matchers,
  local violated = violatedOf('%(facts)s'),
  local broken = brokenOf('%(facts)s'),

  // What LandlockRuleViolated says, or said of what was mended, is left to that, and a
  // kernel without Landlock to LandlockDisabled.
  local brokenAlone = |||
    %s
    unless on (%%(host)s, rule)
    count_over_time((%s)[%%(brokenUnless)s:%%(ruleStep)s]) >= 2
    unless on (%%(host)s)
    last_over_time(landlock_enabled{%%(facts)s}[%%(factWindow)s]) == 0
  ||| % [broken, violated],

  // On which hosts of a cluster a rule is violated or was broken; at most ten.
  local ofRule = c.clusterLabel + '=%%[1]q, rule=%%[2]q',
  local someHosts =
    '{{ range printf `topk(10, count by (instance) (' + violatedOf(ofRule) % c + ' or ' + brokenOf(ofRule) % c + '))` ' +
    cluster + ' $labels.rule | query | sortByLabel "instance" }}' +
    ' {{ .Labels.instance }}{{ end }}',

  // How many runs violated the rule of the alert on its host in the last hour: all of the
  // count, if there was none an hour ago, or if it began again since.
  local lately =
    local of(ago) = 'last_over_time(landlock_rule_runs_total{' + c.clusterLabel +
                    '=%[1]q, job=%[2]q, instance=%[3]q, rule=%[4]q, result="violating"}[' + c.brokenWindow + ']' + ago + ')';
    '{{ range printf `' + of('') + ' - (' + of(' offset 1h') + ' <= ' + of('') + ' or 0 * ' + of('') + ')` ' + cluster +
    ' $labels.job $labels.instance $labels.rule | query }}{{ .Value }}{{ end }}',

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
              max by (%%(host)s, severity) (%(violated)s or %(broken)s)
              and on (%%(host)s)
              %(disabled)s
            )
          ||| % { disabled: disabled, violated: violated, broken: broken } % (c { severity: c.severities.LandlockDisabled }),
          c.disabledFor,
          'The kernel of {{ $labels.instance }} does not offer Landlock.',
          'Landlock is absent or was not enabled at boot: nothing on {{ $labels.instance }} is sandboxed, whatever its programs believe.',
          severity=false
        ),
        // From the same series as the alerts that it inhibits, not from recorded ones:
        // it must not be late. Hosts where the rule was only about what ended are hosts
        // of the rule, too; no series has its severity there.
        alert(
          'LandlockRuleViolatedOnManyHosts',
          |||
            (
              count by (%%(clusterLabel)s, rule, severity) (group by (%%(host)s, rule, severity) (
                %s
                or
                %s
              )) >= %%(manyHostsMin)g
            )
            / on (%%(clusterLabel)s, rule) group_left ()
            count by (%%(clusterLabel)s, rule) (group by (%%(host)s, rule) (
              last_over_time(landlock_rule_violated{%%(facts)s}[%%(ruleWindow)s])
              or
              last_over_time(landlock_rule_runs_total{%%(facts)s, result="compliant"}[%%(brokenWindow)s])
            ))
            > %%(manyHostsShare)g
          ||| % [violated, std.strReplace(std.rstripChars(brokenAlone, '\n'), '\n', '\n    ')],
          c.manyHostsFor,
          'Rule {{ $labels.rule }} is violated on {{ $value | humanizePercentage }} of its hosts.',
          'A change that reached many hosts is more likely than many faults. Some of the hosts:' + someHosts + '.',
          dashboard='rule',
          severity=false
        ),
        alert(
          'LandlockRuleViolated',
          violated,
          c.ruleFor,
          'Rule {{ $labels.rule }} is violated on {{ $labels.instance }}.',
          'On {{ $labels.instance }} rule {{ $labels.rule }} was violated in {{ $value | humanizePercentage }} of the scrapes of the last ' + c.ruleWindow + '. Workloads, reasons, processes:' + reasons,
          dashboard='rule',
          severity=false
        ),
        // At once, and on the time, not on an increase: the first violation makes its
        // series, and one after a restart of landlockd looks like one before it.
        alert(
          'LandlockRuleBroken',
          brokenAlone,
          null,
          'Rule {{ $labels.rule }} was violated on {{ $labels.instance }} by what has ended.',
          'A process of {{ $labels.workload }} that violated rule {{ $labels.rule }} ended on {{ $labels.instance }} {{ $value | humanizeDuration }} ago. Ends that violated the rule in the last hour: ' + lately + '.',
          dashboard='rule',
          severity=false
        ),
        // Where runs are counted, some end within their grace and not as they should be,
        // again and again, and none is compliant, nor unknown, as one in a sandbox is where a
        // rule asks what it granted. Elsewhere, in more than a tenth of the
        // scrapes something is younger than its grace and not as it should be.
        alert(
          'LandlockRuleNeverSettles',
          |||
            (
              changes(landlock_rule_runs_total{%%(facts)s, result="short"}[%%(settleRunsWindow)s]) >= 2
              unless on (%%(host)s, rule)
              increase(landlock_rule_runs_total{%%(facts)s, result=~"compliant|unknown"}[%%(settleRunsWindow)s]) > 0
              or
              quantile_over_time(0.9, landlock_rule_processes{%%(facts)s, result="starting"}[%%(settleWindow)s]) > 0
              unless on (%%(host)s)
              max_over_time(landlockd_runs_start_timestamp_seconds{%%(facts)s}[%%(settleWindow)s])
            )
            unless on (%%(host)s, rule)
            max_over_time(landlock_rule_processes{%%(facts)s, result="compliant"}[%%(settleWindow)s]) > 0
            unless on (%%(host)s, rule)
            %s
          ||| % violated,
          c.settleFor,
          'Rule {{ $labels.rule }} on {{ $labels.instance }} finds only processes too young to judge.',
          'For ' + c.settleWindow + ' no process of rule {{ $labels.rule }} was as expected on {{ $labels.instance }}, and new ones that are not keep starting. Something restarts before its grace is over.',
          dashboard='rule',
        ),
        // More than half of the scrapes of the window.
        alert(
          'LandlockRuleUnknown',
          'quantile_over_time(0.5, landlock_rule_processes{%(facts)s, result="unknown"}[%(unknownWindow)s]) > 0',
          c.unknownFor,
          'Rule {{ $labels.rule }} cannot be judged on {{ $labels.instance }}.',
          'In most scrapes of the last ' + c.unknownWindow + ' it was not known whether {{ $value | humanize }} processes of rule {{ $labels.rule }} comply.',
          dashboard='rule',
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
            moreThanUsual('landlockd_run_records_lost_total', 'increase(%s)'),
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
          dashboard='fleet',
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
          dashboard='fleet',
        ),
      ],
    }],
  },
}
