// SPDX-License-Identifier: Apache-2.0

package panels

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// object is one of JSON.
type object = map[string]any

// ofKind is how Perses writes what plugins know.
func ofKind(kind string, spec object) object { return object{"kind": kind, "spec": spec} }

// translated is the dashboard in the form of Perses, with what is chosen at its top.
func (d *dashboard) translated(t *testing.T, chosen map[string]string) object {
	t.Helper()
	variables, panels := []object{}, object{}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			variables = append(variables, v.translated(chosen[v.Name]))
		}
	}
	layouts := []object{}
	items := []object{}
	title, top := "", 0
	grid := func() {
		if len(items) > 0 {
			layouts = append(layouts, ofKind("Grid", object{
				"display": object{"title": title, "collapse": object{"open": true}}, "items": items,
			}))
		}
		items = nil
	}
	for _, p := range d.Panels {
		if p.Type == "row" {
			grid()
			title, top = p.Title, p.GridPos.Y+p.GridPos.H
			continue
		}
		key := strconv.Itoa(p.ID)
		panels[key] = p.translated(t)
		items = append(items, object{
			"x": p.GridPos.X, "y": p.GridPos.Y - top, "width": p.GridPos.W, "height": p.GridPos.H,
			"content": object{"$ref": "#/spec/panels/" + key},
		})
	}
	grid()
	return object{
		"kind":     "Dashboard",
		"metadata": object{"name": d.UID, "project": "landlockd", "version": 0},
		"spec": object{
			"display": object{"name": d.Title}, "duration": shown.String(), "refreshInterval": "0s",
			"datasources": object{"prometheus": object{"default": true, "plugin": ofKind("PrometheusDatasource", object{
				"directUrl": "/prometheus", "scrapeInterval": interval.String(),
			})}},
			"variables": variables, "panels": panels, "layouts": layouts,
		},
	}
}

// translated is a variable that stands for one value, or for all.
func (v *variable) translated(chosen string) object {
	if chosen == "" {
		chosen = ".*"
	}
	return ofKind("TextVariable", object{
		"name": v.Name, "display": object{"name": v.Label}, "value": chosen, "constant": true,
	})
}

// translated is the panel: its plugin, and its queries.
func (p *panel) translated(t *testing.T) object {
	t.Helper()
	plugins := map[string]func(*testing.T, *panel) object{
		"stat": stat, "timeseries": timeSeries, "bargauge": bars, "table": table, "state-timeline": stateTimeline,
	}
	plugin := plugins[p.Type]
	if plugin == nil {
		t.Fatalf("%s: no panel of type %s is known here", p.Title, p.Type)
	}
	queries := []object{}
	for i, q := range p.Targets {
		spec := object{"query": p.query(t, i)}
		if q.LegendFormat != "__auto" {
			spec["seriesNameFormat"] = q.LegendFormat
		}
		queries = append(queries, ofKind("TimeSeriesQuery", object{"plugin": ofKind("PrometheusTimeSeriesQuery", spec)}))
	}
	return ofKind("Panel", object{
		"display": object{"name": p.Title, "description": p.Description},
		"plugin":  plugin(t, p), "queries": queries,
	})
}

// fromNow is Grafana's unit of milliseconds since 1970 that are shown as "3 days ago" or "in 3
// days".
const fromNow = "dateTimeFromNow"

// query is a query of the panel. Perses has no times from now, but it has durations.
func (p *panel) query(t *testing.T, n int) string {
	t.Helper()
	unit := p.FieldConfig.Defaults.Unit
	names, _ := p.organized(t)
	for field, column := range names {
		if of, ok := p.queryOf(field); ok && of == n {
			unit = p.unit(t, column)
		}
	}
	if unit == fromNow {
		return fmt.Sprintf("abs(time() - (%s) / 1000)", p.Targets[n].Expr)
	}
	return p.Targets[n].Expr
}

// format is a unit of Grafana's in Perses.
func format(t *testing.T, unit string) object {
	t.Helper()
	formats := map[string]object{
		"short": {"unit": "decimal", "shortValues": true}, "string": {"unit": "decimal"}, "bool_yes_no": {"unit": "decimal"},
		"percentunit": {"unit": "percent-decimal", "decimalPlaces": 1}, "ops": {"unit": "ops/sec"},
		"s": {"unit": "seconds"}, fromNow: {"unit": "seconds"}, // see p.query
	}
	f, ok := formats[unit]
	if !ok {
		t.Fatalf("unit %s is not known here", unit)
	}
	return f
}

// colour is one of Grafana's by its name.
func colour(t *testing.T, name string) string {
	t.Helper()
	colours := map[string]string{
		"green": "#37872d", "yellow": "#e0b400", "orange": "#fa6400", "red": "#c4162a", "blue": "#1f60c4", "text": "#1c1e22",
	}
	c, ok := colours[name]
	if !ok {
		t.Fatalf("colour %s is not known here", name)
	}
	return c
}

func (s *thresholds) translated(t *testing.T) object {
	t.Helper()
	steps := []object{}
	for _, step := range s.Steps[1:] {
		steps = append(steps, object{"value": *step.Value, "color": colour(t, step.Color)})
	}
	return object{"mode": "absolute", "defaultColor": colour(t, s.Steps[0].Color), "steps": steps}
}

// mappings are what stands for values.
func (p *panel) mappings(t *testing.T) []object {
	t.Helper()
	out := []object{}
	for _, m := range p.FieldConfig.Defaults.Mappings {
		for _, value := range slices.Sorted(maps.Keys(m.Options)) {
			to := m.Options[value]
			out = append(out, ofKind("Value", object{
				"value": value, "result": object{"value": to.Text, "color": colour(t, to.Color)},
			}))
		}
	}
	return out
}

func stat(t *testing.T, p *panel) object {
	spec := object{
		"calculation": "last-number", "format": format(t, p.FieldConfig.Defaults.Unit), "mappings": p.mappings(t),
		"thresholds": p.FieldConfig.Defaults.Thresholds.translated(t), "valueFontSize": 32,
	}
	if p.Options.TextMode == "name" {
		spec["metricLabel"] = strings.Trim(p.Targets[0].LegendFormat, "{}")
	}
	return ofKind("StatChart", spec)
}

func timeSeries(t *testing.T, p *panel) object {
	axis := object{"show": true, "format": format(t, p.FieldConfig.Defaults.Unit)}
	if v := p.FieldConfig.Defaults.Min; v != nil {
		axis["min"] = *v
	}
	if v := p.FieldConfig.Defaults.Max; v != nil {
		axis["max"] = *v
	}
	visual := object{"lineWidth": 1.5, "areaOpacity": 0.1}
	if p.FieldConfig.Defaults.Custom.Stacking.Mode == "normal" {
		visual["stack"], visual["areaOpacity"] = "all", 0.6
	}
	return ofKind("TimeSeriesChart", object{
		"legend": object{"position": "bottom", "mode": "list", "size": "small"}, "yAxis": axis, "visual": visual,
	})
}

func bars(t *testing.T, p *panel) object {
	return ofKind("BarChart", object{
		"calculation": "last-number", "format": format(t, p.FieldConfig.Defaults.Unit), "sort": "desc", "mode": "value",
	})
}

// stateTimeline has the colours of thresholds. What merges equal states, Perses' does not have.
func stateTimeline(t *testing.T, p *panel) object {
	mappings := p.mappings(t)
	steps := p.FieldConfig.Defaults.Thresholds.Steps
	for i, step := range steps {
		between := object{"result": object{"value": step.Color, "color": colour(t, step.Color)}}
		if step.Value != nil {
			between["from"] = *step.Value
		}
		if i+1 < len(steps) {
			// Both ends belong to it, and the first that fits is taken.
			between["to"] = math.Nextafter(*steps[i+1].Value, math.Inf(-1))
		}
		mappings = append(mappings, ofKind("Range", between))
	}
	return ofKind("StatusHistoryChart", object{"mappings": mappings})
}

// organized is what a table's fields are called, and their order.
func (p *panel) organized(t *testing.T) (names map[string]string, order map[string]int) {
	t.Helper()
	for _, f := range p.Transformations {
		if f.ID != "organize" {
			continue
		}
		if err := json.Unmarshal(f.Options.RenameByName, &names); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(f.Options.IndexByName, &order); err != nil {
			t.Fatal(err)
		}
	}
	return names, order
}

var byLabels = regexp.MustCompile(`\bby \(([^)]*)\)`)

// labels are those of the panel's queries: all, and those that each of them has.
func (p *panel) labels(t *testing.T) (all, common []string) {
	t.Helper()
	for i, q := range p.Targets {
		m := byLabels.FindStringSubmatch(q.Expr)
		if m == nil {
			t.Fatalf("%s: which labels has %s?", p.Title, q.Expr)
		}
		labels := strings.Split(m[1], ", ")
		if i == 0 {
			common = slices.Clone(labels)
		}
		common = slices.DeleteFunc(common, func(l string) bool { return !slices.Contains(labels, l) })
		all = append(all, labels...)
	}
	slices.Sort(all)
	return slices.Compact(all), common
}

// table has a column for each label, and one for each query.
func table(t *testing.T, p *panel) object {
	columns, transforms := []object{}, []object{}
	// Perses shows every column that is not said to be hidden.
	hidden := []string{"timestamp", "value", "__name__", "cluster", "job", "instance"}
	if len(p.Targets) > 1 {
		all, common := p.labels(t)
		for _, label := range all {
			transforms = append(transforms, ofKind("MergeIndexedColumns", object{"column": label}))
		}
		transforms = append(transforms, ofKind("JoinByColumnValue", object{"columns": common}))
		hidden = append(hidden, all...)
	}
	names, order := p.organized(t)
	byOrder := func(a, b string) int { return order[a] - order[b] }
	for _, field := range slices.SortedFunc(maps.Keys(order), byOrder) {
		c := object{"name": field, "header": names[field], "enableSorting": true}
		if n, ok := p.queryOf(field); ok {
			c["name"], c["align"] = "value", "right"
			if len(p.Targets) > 1 {
				c["name"] = fmt.Sprintf("value #%d", n+1)
			}
			c["format"] = format(t, p.unit(t, names[field]))
		}
		for _, by := range p.Options.SortBy {
			if by.DisplayName == names[field] {
				c["sort"] = map[bool]string{false: "asc", true: "desc"}[by.Desc]
			}
		}
		columns = append(columns, c)
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(hidden))) {
		if !slices.ContainsFunc(columns, func(c object) bool { return c["name"] == name }) {
			columns = append(columns, object{"name": name, "hide": true})
		}
	}
	return ofKind("Table", object{
		"density": "compact", "defaultColumnWidth": "auto", "columnSettings": columns, "transforms": transforms,
	})
}

// queryOf is which of the panel's queries a field is of.
func (p *panel) queryOf(field string) (n int, ok bool) {
	if field == "Value" {
		return 0, true
	}
	ref, ok := strings.CutPrefix(field, "Value #")
	if !ok {
		return 0, false
	}
	for i, q := range p.Targets {
		if q.RefID == ref {
			return i, true
		}
	}
	return 0, false
}

// unit is that of a column.
func (p *panel) unit(t *testing.T, column string) string {
	t.Helper()
	unit := p.FieldConfig.Defaults.Unit
	for _, o := range p.FieldConfig.Overrides {
		for _, prop := range o.Properties {
			if o.Matcher.Options == column && prop.ID == "unit" {
				if err := json.Unmarshal(prop.Value, &unit); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return unit
}
