// SPDX-License-Identifier: Apache-2.0
{
  grafanaDashboards+:: {
    'landlockd-fleet.json': (import 'fleet.libsonnet')($._config),
    'landlockd-host.json': (import 'host.libsonnet')($._config),
    'landlockd-workload.json': (import 'workload.libsonnet')($._config),
    'landlockd-rule.json': (import 'rule.libsonnet')($._config),
  },
}
