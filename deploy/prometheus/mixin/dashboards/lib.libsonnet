// SPDX-License-Identifier: Apache-2.0
//
// Grafana's classic dashboard JSON (schema 41), as far as these dashboards use it.
function(config) {
  local lib = self,
  local datasource = { type: 'prometheus', uid: '${datasource}' },

  // Matchers of the metrics of hosts, and of those that are recorded by cluster.
  facts: '%s, %s=~"$cluster", instance=~"$instance"' % [config.facts, config.clusterLabel],
  daemon: '%s, %s=~"$cluster", instance=~"$instance"' % [config.daemon, config.clusterLabel],
  cluster: '%s=~"$cluster"' % config.clusterLabel,

  // A query; legend is Grafana's template of a series' name.
  query(expr, legend='__auto'):: { expr: expr, legendFormat: legend },

  // Colours: what is sandboxed is green, what is not is not red by itself, for
  // not every program is meant to be; unknown is grey.
  local stateColours = {
    sandboxed: 'green',
    partial: 'yellow',
    unsandboxed: 'blue',
    unknown: 'text',
    compliant: 'green',
    violating: 'red',
    starting: 'yellow',
    short: 'yellow',
  },
  local colourOverrides = [
    {
      matcher: { id: 'byName', options: name },
      properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: stateColours[name] } }],
    }
    for name in std.objectFields(stateColours)
  ],

  // Steps from the worst on: [[null, 'red'], [0.5, 'yellow']].
  thresholds(steps):: { mode: 'absolute', steps: [{ value: s[0], color: s[1] } for s in steps] },
  zeroIsGood:: lib.thresholds([[null, 'green'], [1, 'red']]),
  neutral:: lib.thresholds([[null, 'text']]),
  // The share that is good is for each installation to say.
  coverage:: lib.thresholds([[null, 'orange'], [0.25, 'yellow'], [0.75, 'green']]),

  local targets(queries, extra) = [
    {
      refId: std.char(65 + i),
      datasource: datasource,
      editorMode: 'code',
      expr: queries[i].expr,
      legendFormat: queries[i].legendFormat,
    } + extra
    for i in std.range(0, std.length(queries) - 1)
  ],

  // A panel is an object with w and h, which rows() makes a position of.
  local panel(type, title, description, unit, queries, w, h, target) = {
    type: type,
    title: title,
    description: description,
    datasource: datasource,
    targets: targets(if std.isArray(queries) then queries else [queries], target),
    fieldConfig: { defaults: { unit: unit, thresholds: lib.neutral, color: { mode: 'thresholds' } }, overrides: [] },
    links: [],
    w:: w,
    h:: h,
  },

  stat(title, description, unit, queries, thresholds=lib.neutral, w=4, h=4, mappings=[], text='auto')::
    panel('stat', title, description, unit, queries, w, h, { instant: true, range: false }) + {
      fieldConfig+: { defaults+: { thresholds: thresholds, mappings: mappings, noValue: '–' } },
      options: {
        colorMode: 'value',
        graphMode: 'none',
        justifyMode: 'auto',
        orientation: 'auto',
        reduceOptions: { calcs: ['lastNotNull'], fields: if text == 'name' then '/.*/' else '', values: false },
        textMode: text,
        wideLayout: true,
      },
    },

  graph(title, description, unit, queries, w=12, h=8, stack=false, max=null)::
    panel('timeseries', title, description, unit, queries, w, h, { instant: false, range: true }) + {
      fieldConfig+: {
        defaults+: {
          color: { mode: 'palette-classic' },
          min: 0,
          [if max != null then 'max']: max,
          custom: {
            drawStyle: 'line',
            fillOpacity: if stack then 60 else 10,
            lineWidth: 1,
            showPoints: 'never',
            // A gap in the data is a gap in the graph.
            spanNulls: false,
            stacking: { group: 'A', mode: if stack then 'normal' else 'none' },
          },
        },
        overrides: colourOverrides,
      },
      options: {
        legend: { calcs: ['lastNotNull'], displayMode: 'table', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },

  // A bar for each series, of the colours that its values had.
  timeline(title, description, unit, queries, thresholds, w=24, h=8)::
    panel('state-timeline', title, description, unit, queries, w, h, { instant: false, range: true }) + {
      fieldConfig+: { defaults+: { thresholds: thresholds, custom: { fillOpacity: 80, lineWidth: 0, spanNulls: false } } },
      options: {
        alignValue: 'left',
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        mergeValues: true,  // of one colour
        rowHeight: 0.8,
        showValue: 'never',
        tooltip: { mode: 'single', sort: 'none' },
      },
    },

  bars(title, description, unit, queries, thresholds=lib.coverage, w=12, h=8)::
    panel('bargauge', title, description, unit, queries, w, h, { instant: true, range: false }) + {
      fieldConfig+: { defaults+: { thresholds: thresholds, min: 0, [if unit == 'percentunit' then 'max']: 1 } },
      options: {
        displayMode: 'basic',
        orientation: 'horizontal',
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        showUnfilled: true,
        valueMode: 'color',
      },
    },

  // columns: one for each query, as {name, unit, thresholds (optional)};
  // labels: the labels to show, in order, as {label: heading}; links: from a
  // heading to what a click on its cells opens; worst: the column that is most in the first rows.
  table(title, description, queries, columns, labels, links={}, w=24, h=9, worst=null)::
    local value(i) = if std.length(queries) == 1 then 'Value' else 'Value #' + std.char(65 + i);
    local names = [l[0] for l in labels];
    panel('table', title, description, 'short', queries, w, h, { instant: true, range: false, format: 'table' }) + {
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'filterFieldsByName',
          options: { include: { names: names + [value(i) for i in std.range(0, std.length(columns) - 1)] } },
        },
        {
          id: 'organize',
          options: {
            indexByName: { [names[i]]: i for i in std.range(0, std.length(names) - 1) } +
                         { [value(i)]: std.length(names) + i for i in std.range(0, std.length(columns) - 1) },
            renameByName: { [l[0]]: l[1] for l in labels } +
                          { [value(i)]: columns[i].name for i in std.range(0, std.length(columns) - 1) },
          },
        },
      ],
      fieldConfig+: {
        defaults+: { custom: { align: 'auto', filterable: true, cellOptions: { type: 'auto' } } },
        overrides: [
          {
            matcher: { id: 'byName', options: c.name },
            properties: [{ id: 'unit', value: c.unit }] +
                        (if 'thresholds' in c then [
                           { id: 'thresholds', value: c.thresholds },
                           { id: 'custom.cellOptions', value: { type: 'color-text' } },
                         ] else []),
          }
          for c in columns
        ] + [
          {
            matcher: { id: 'byName', options: heading },
            properties: [{ id: 'links', value: [links[heading]] }],
          }
          for heading in std.objectFields(links)
        ],
      },
      options: { [if worst != null then 'sortBy']: [{ displayName: worst, desc: true }], cellHeight: 'sm', showHeader: true, footer: { show: false, reducer: ['sum'], countRows: false, fields: '' } },
    },

  // A link of a cell to another dashboard, whose variable is set to the cell.
  toDashboard(name, variable):: {
    title: 'Open ' + name,
    url: '/d/%s%s?${__url_time_range}&${datasource:queryparam}&${cluster:queryparam}&var-%s=${__value.text}' % [config.dashboardUIDPrefix, name, variable],
  },

  // Places rows of panels, 24 columns wide, and numbers them.
  rows(rows)::
    local place(state, p) =
      local wrap = state.x + p.w > 24;
      local x = if wrap then 0 else state.x;
      local y = if wrap then state.y + state.h else state.y;
      {
        id: state.id + 1,
        x: x + p.w,
        y: y,
        h: if wrap then p.h else std.max(state.h, p.h),
        out: state.out + [p { id: state.id, gridPos: { x: x, y: y, w: p.w, h: p.h } }],
      };
    local header(row) = { type: 'row', title: row.title, collapsed: false, panels: [], w:: 24, h:: 1 };
    std.foldl(
      function(state, row) std.foldl(place, [header(row)] + row.panels, state { x: 24 }),
      rows,
      { id: 1, x: 0, y: 0, h: 0, out: [] },
    ).out,

  // Without All, for dashboards that are about one thing: the first that there
  // is is chosen. The whole fleet's raw series would be slow, and mean little.
  local variable(name, label, metric, from, all) = {
    name: name,
    label: label,
    type: 'query',
    datasource: datasource,
    definition: self.query.query,
    query: { query: 'label_values(%s, %s)' % [metric, from], refId: 'variable-' + name },
    refresh: 2,  // when the time range changes
    sort: 5,  // alphabetical, whatever the case
    regex: '',
    multi: true,
    includeAll: all,
    // Also matches what lacks the label: a single Prometheus has no cluster.
    [if all then 'allValue']: '.*',
    current: if all then { selected: true, text: ['All'], value: ['$__all'] } else {},
    options: [],
    hide: 0,
  },

  variables:: {
    datasource: {
      name: 'datasource',
      label: 'Data source',
      type: 'datasource',
      query: 'prometheus',
      refresh: 1,
      regex: '',
      multi: false,
      includeAll: false,
      current: {},
      options: [],
      hide: 0,
    },
    // Recorded: where clusters are looked at together, nothing else may be there.
    cluster: variable('cluster', 'Cluster', 'cluster:landlockd_hosts:count', config.clusterLabel, true),
    instance: variable('instance', 'Host', 'landlockd_build_info{%s, %s}' % [config.facts, lib.cluster], 'instance', true),
    host: variable('instance', 'Host', 'landlockd_build_info{%s, %s}' % [config.facts, lib.cluster], 'instance', false),
    workload: variable('workload', 'Workload', 'workload:landlock_hosts:count{%s}' % lib.cluster, 'workload', false),
    rule: variable('rule', 'Rule', 'rule:landlock_hosts:count{%s}' % lib.cluster, 'rule', false),
  },

  // A panel that says which variables it does not look at.
  local withUnmoved(p, variables) =
    local reads(v) = std.any([std.length(std.findSubstr('$' + v.name, t.expr)) > 0 for t in p.targets]);
    local unmoved = [v.label for v in variables if v.type == 'query' && !reads(v)];
    p { [if unmoved != [] then 'description']+: ' The choice of %s does not change it.' % std.join(' and ', unmoved) },

  dashboard(name, title, description, variables, rows):: {
    local chosen = [lib.variables[v] for v in ['datasource', 'cluster'] + variables],
    uid: config.dashboardUIDPrefix + name,
    title: title,
    description: description,
    tags: config.dashboardTags,
    schemaVersion: 41,
    version: 1,
    editable: true,
    graphTooltip: 1,  // a crosshair in all panels
    refresh: config.dashboardRefresh,
    time: { from: config.dashboardFrom, to: 'now' },
    timezone: 'browser',
    timepicker: {},
    annotations: { list: [] },
    templating: { list: chosen },
    links: [{
      type: 'dashboards',
      title: 'landlockd',
      tags: config.dashboardTags,
      asDropdown: true,
      includeVars: true,
      keepTime: true,
      targetBlank: false,
      icon: 'external link',
      tooltip: '',
      url: '',
    }],
    panels: lib.rows([row { panels: [withUnmoved(p, chosen) for p in row.panels] } for row in rows]),
  },
}
