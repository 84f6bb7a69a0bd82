// SPDX-License-Identifier: Apache-2.0
//
// One alert: a name, what the rule evaluates, how long it must hold (null: not at
// all), and texts for people. Without a severity, the expression's series carry it.
function(config) function(name, expr, duration, summary, description, severity=true) {
  alert: name,
  expr: expr % config,
  [if duration != null then 'for']: duration,
  [if severity then 'labels']: { severity: config.severities[name] },
  annotations: {
    summary: summary,
    description: description,
    runbook_url: config.runbookURLPrefix + name + '.md',
  },
}
