// SPDX-License-Identifier: Apache-2.0
//
// The files that render.sh writes, by name.
local mixin(config) = (import 'mixin.libsonnet') + { _config+:: config };
local header = '# SPDX-License-Identifier: Apache-2.0\n# Generated from deploy/prometheus/mixin by deploy/prometheus/render.sh. Do not edit.\n';
local yaml(value) = header + std.manifestYamlDoc(value, indent_array_in_object=true, quote_keys=false) + '\n';

{
  prometheus(config)::
    local m = mixin(config);
    {
      'rules.yml': yaml(m.prometheusRules),
      'alerts.yml': yaml(m.prometheusAlerts),
      'alerts-optional.yml': yaml(m.optionalAlerts),
      // Complete enough for amtool; the receiver is to be replaced.
      'alertmanager.yml': yaml({
        route: {
          receiver: 'default',
          group_by: ['alertname', m._config.clusterLabel],
        },
        receivers: [{ name: 'default' }],
      } + m.alertmanager),
    },

  grafana(config):: {
    [name]: std.manifestJsonEx(mixin(config).grafanaDashboards[name], '  ') + '\n'
    for name in std.objectFields(mixin(config).grafanaDashboards)
  },
}
