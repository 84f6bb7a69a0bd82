// SPDX-License-Identifier: Apache-2.0
//
// Alerts that are off unless _config asks for them. optionalAlerts has them
// all, for tests and for those who would rather load a file than render one.
{
  local c = $._config,
  local alert = (import 'alert.libsonnet')(c),

  local alerts = {
    enableSilent: alert(
      'LandlockdSilent',
      |||
        group by (%(host)s) (last_over_time(up{%(daemon)s}[%(silentWindow)s]))
        unless
        group by (%(host)s) (up{%(daemon)s})
      |||,
      c.silentFor,
      'Nothing comes from {{ $labels.instance }} any more.',
      'In the last ' + c.silentWindow + ' landlockd of {{ $labels.instance }} was heard of, now it is not: the host, its agent or its network is down, or it was retired.',
    ),
    enableDenialBurst: alert(
      'LandlockDenialBurst',
      'rate(landlock_denials_total{%(facts)s}[%(denialWindow)s]) > %(denialsPerSecond)g',
      c.denialFor,
      'Sandboxes on {{ $labels.instance }} deny {{ $value | humanize }} accesses a second.',
      'A sandbox is too narrow for what its program does, or a program does what it should not.',
    ),
    enableNestingNearLimit: alert(
      'LandlockNestingNearLimit',
      |||
        max_over_time(landlock_nesting_depth_max{%(facts)s}[%(factWindow)s])
        >= max_over_time(landlock_nesting_depth_limit{%(facts)s}[%(factWindow)s]) - %(nestingLeft)g
        and
        max_over_time(landlock_nesting_depth_limit{%(facts)s}[%(factWindow)s]) > 0
      |||,
      c.nestingFor,
      'A task on {{ $labels.instance }} is nested {{ $value | humanize }} domains deep.',
      'The kernel refuses the next sandbox to a task that has as many layers as it allows (E2BIG).',
    ),
    enableRuleMatchUnknown: alert(
      'LandlockRuleMatchUnknown',
      'quantile_over_time(0.5, landlockd_rule_match_unknown_processes{%(facts)s}[%(unknownWindow)s]) > 0',
      c.matchUnknownFor,
      'It is not known whether rules are about {{ $value | humanize }} processes on {{ $labels.instance }}: {{ $labels.reason }}.',
      'So it was in most scrapes of the last ' + c.unknownWindow + '. No rule judges them, and a rule with min_processes may not notice that its own are missing.',
    ),
    // One for a rule and cluster: a waiver is written once for many hosts.
    enableWaiverLapses: alert(
      'LandlockRuleWaiverLapses',
      |||
        min by (%(clusterLabel)s, rule) (
          last_over_time(landlock_rule_waived_until_timestamp_seconds{%(facts)s}[%(factWindow)s])
        ) - time() < %(waiverDays)g * 86400
      |||,
      c.waiverFor,
      'A waiver of rule {{ $labels.rule }} ends in {{ $value | humanizeDuration }}.',
      'From then on what it accepts violates the rule, and its alerts fire.',
      dashboard='rule',
    ),
  },

  local groupOf(names) = { name: 'landlockd-optional', rules: [alerts[n] for n in names] },
  local on = [n for n in std.objectFields(alerts) if c[n]],

  prometheusAlerts+:: { groups+: if on == [] then [] else [groupOf(on)] },
  optionalAlerts:: { groups: [groupOf(std.objectFields(alerts))] },
}
