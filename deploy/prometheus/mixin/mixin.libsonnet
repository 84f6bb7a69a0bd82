// SPDX-License-Identifier: Apache-2.0
//
// Recording rules, alerts, inhibitions and dashboards for landlockd. To change
// something, import this file, add to _config, and render:
//
//   (import 'mixin.libsonnet') + { _config+:: { ruleWindow: '5m' } }
(import 'config.libsonnet') +
(import 'rules/rules.libsonnet') +
(import 'alerts/alerts.libsonnet') +
(import 'alerts/optional.libsonnet') +
(import 'alerts/inhibition.libsonnet') +
(import 'dashboards/dashboards.libsonnet')
