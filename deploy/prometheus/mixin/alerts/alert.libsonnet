// SPDX-License-Identifier: Apache-2.0
//
// One alert: a name, what the rule evaluates, how long it must hold (null: not at
// all), and texts for people. Without a severity, the expression's series carry it.
// The dashboard (fleet, host, rule) is opened for what the alert's labels name.
function(config) function(name, expr, duration, summary, description, dashboard='host', severity=true)
  local variable(label, name) = '{{ with $labels.%s }}&var-%s={{ . | urlquery }}{{ end }}' % [label, name];
  {
    alert: name,
    expr: expr % config,
    [if duration != null then 'for']: duration,
    [if severity then 'labels']: { severity: config.severities[name] },
    annotations: {
      summary: summary,
      description: description,
      runbook_url: config.runbookURLPrefix + name + '.md',
      dashboard_url: '%s/d/%s%s?from=now-24h&to=now' % [config.grafanaURL, config.dashboardUIDPrefix, dashboard] +
                     variable(config.clusterLabel, 'cluster') +
                     (if dashboard == 'rule' then variable('rule', 'rule') else '') +
                     (if dashboard == 'fleet' then '' else variable('instance', 'instance')),
    },
  }
