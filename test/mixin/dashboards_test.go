// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dashboard is the part of Grafana's classic dashboard JSON that tests look at.
type dashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
	SchemaVersion int      `json:"schemaVersion"`
	Templating    struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Links  []struct{ Type string } `json:"links"`
	Panels []panel                 `json:"panels"`

	text string // the whole file
}

type variable struct {
	Name, Label, Type string
	Query             any
	AllValue          string
	IncludeAll        bool
	Datasource        datasource
}

type datasource struct{ Type, UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               datasource
	GridPos                  struct{ H, W, X, Y int }
	Targets                  []target
	FieldConfig              struct {
		Defaults struct {
			Unit       string
			Thresholds struct {
				Steps []struct {
					Value *float64
					Color string
				}
			}
		}
		Overrides []override
	}
	Transformations []struct{ ID string }
	Options         struct {
		SortBy []struct {
			DisplayName string
			Desc        bool
		}
	}
}

type override struct {
	Matcher    struct{ ID, Options string }
	Properties []struct {
		ID    string
		Value any
	}
}

type target struct {
	RefID, Expr, LegendFormat, Format string
	Datasource                        datasource
	Instant, Range                    bool
}

// dashboards are all, by file name without ending.
func dashboards(t *testing.T) map[string]*dashboard {
	t.Helper()
	all := map[string]*dashboard{}
	for _, file := range glob(t, deploy+"/grafana/dashboards/*.json") {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := &dashboard{text: string(b)}
		if err := json.Unmarshal(b, d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if all[d.UID] != nil || d.UID == "" {
			t.Fatalf("%s: uid %q is missing or another's", file, d.UID)
		}
		all[d.UID] = d
	}
	return all
}

// TestWorstFirst: who is within reach of an asset and who violates a rule stands in the first rows,
// where one looks.
func TestWorstFirst(t *testing.T) {
	tables := 0
	for uid, d := range dashboards(t) {
		for _, p := range d.Panels {
			if p.Type != "table" || !slices.ContainsFunc(p.Targets, func(q target) bool {
				return strings.Contains(q.Expr, "asset") || uid == "landlockd-fleet" && strings.Contains(q.Expr, "s_violating:")
			}) {
				continue
			}
			tables++
			if by := p.Options.SortBy; len(by) != 1 || !by[0].Desc || !slices.ContainsFunc(p.FieldConfig.Overrides, func(o override) bool {
				return o.Matcher.ID == "byName" && o.Matcher.Options == by[0].DisplayName
			}) {
				t.Errorf("%s/%s is sorted by %v", uid, p.Title, by)
			}
		}
	}
	if tables != 8 {
		t.Errorf("%d tables", tables)
	}
}

// TestVariables: what is chosen at the top moves all queries of a panel, or the panel says that it
// moves none.
func TestVariables(t *testing.T) {
	unmoved := regexp.MustCompile(` The choice of ([\w ]+) does not change it\.$`)
	moved, still := 0, 0
	for uid, d := range dashboards(t) {
		for _, p := range d.Panels {
			if p.Type == "row" {
				continue
			}
			says := ""
			if m := unmoved.FindStringSubmatch(p.Description); m != nil {
				says = m[1]
			}
			var want []string
			for _, v := range d.Templating.List {
				if v.Type != "query" {
					continue
				}
				uses := regexp.MustCompile(`=~"\$` + v.Name + `"`)
				reads := 0
				for _, q := range p.Targets {
					if uses.MatchString(q.Expr) {
						reads++
					}
				}
				switch reads {
				case 0:
					want = append(want, v.Label)
					still++
				case len(p.Targets):
					moved++
				default:
					t.Errorf("%s/%s: %s moves %d of %d queries", uid, p.Title, v.Label, reads, len(p.Targets))
				}
			}
			if want := strings.Join(want, " and "); says != want {
				t.Errorf("%s/%s: says that it is not moved by %q, and is not by %q", uid, p.Title, says, want)
			}
		}
	}
	if moved < 100 || still == 0 {
		t.Errorf("%d panels are moved by a variable, %d are not", moved, still)
	}
}

// units are those of Grafana's that the dashboards use, by their IDs.
var units = []string{"short", "percentunit", "s", "ops", "string", "dateTimeFromNow", "bool_yes_no"}

func TestDashboards(t *testing.T) {
	all := dashboards(t)
	for _, name := range []string{"fleet", "host", "workload", "rule"} {
		if all["landlockd-"+name] == nil {
			t.Errorf("no dashboard %s", name)
		}
	}
	for uid, d := range all {
		t.Run(uid, func(t *testing.T) {
			if d.Title == "" || d.Description == "" || len(d.Tags) == 0 || d.SchemaVersion < 39 || len(d.Links) == 0 {
				t.Errorf("title %q, description %q, tags %q, schema %d, %d links", d.Title, d.Description, d.Tags, d.SchemaVersion, len(d.Links))
			}
			checkVariables(t, d)
			checkGrid(t, d)
			titles := map[string]bool{}
			for _, p := range d.Panels {
				if p.Type == "row" {
					continue
				}
				if p.Title == "" || titles[p.Title] {
					t.Errorf("panel %d: title %q is empty or another's", p.ID, p.Title)
				}
				titles[p.Title] = true
				checkPanel(t, p)
			}
			checkLinks(t, d, all)
		})
	}
}

func checkVariables(t *testing.T, d *dashboard) {
	t.Helper()
	var names []string
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
		uses := len(regexp.MustCompile(`\$(`+v.Name+`\b|\{`+v.Name+`[}:])`).FindAllString(d.text, -1))
		if v.Label == "" || uses == 0 {
			t.Errorf("variable %s: label %q, used %d times", v.Name, v.Label, uses)
		}
		if v.Type == "query" && (v.Datasource.UID != "${datasource}" || v.IncludeAll != (v.AllValue == ".*")) {
			t.Errorf("variable %s: datasource %q, all is %q", v.Name, v.Datasource.UID, v.AllValue)
		}
	}
	for _, name := range []string{"datasource", "cluster"} {
		if !slices.Contains(names, name) {
			t.Errorf("no variable %s among %q", name, names)
		}
	}
	for _, m := range regexp.MustCompile(`\$\{?([a-z]\w*)`).FindAllStringSubmatch(d.text, -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("$%s is no variable", m[1])
		}
	}
}

// checkGrid: no panel lies on another, or beside the 24 columns.
func checkGrid(t *testing.T, d *dashboard) {
	t.Helper()
	ids := map[int]bool{}
	cells := map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID <= 0 {
			t.Errorf("panel %q: id %d is missing or another's", p.Title, p.ID)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
			t.Errorf("panel %q: position %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" {
					t.Fatalf("panel %q lies on %q", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
	}
}

func checkPanel(t *testing.T, p panel) {
	t.Helper()
	if !slices.Contains([]string{"stat", "timeseries", "state-timeline", "bargauge", "table"}, p.Type) {
		t.Errorf("%s: type %q", p.Title, p.Type)
	}
	if len(p.Description) < 15 || !strings.HasSuffix(p.Description, ".") {
		t.Errorf("%s: description %q is no sentence", p.Title, p.Description)
	}
	if !slices.Contains(units, p.FieldConfig.Defaults.Unit) {
		t.Errorf("%s: unit %q", p.Title, p.FieldConfig.Defaults.Unit)
	}
	checkThresholds(t, p)
	if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
		t.Errorf("%s: datasource %q, %d queries", p.Title, p.Datasource.UID, len(p.Targets))
	}
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if q.Datasource.UID != "${datasource}" || refs[q.RefID] || q.RefID == "" || q.Instant == q.Range || strings.TrimSpace(q.Expr) == "" {
			t.Errorf("%s: query %+v", p.Title, q)
		}
		refs[q.RefID] = true
		if (p.Type == "table") != (q.Format == "table") {
			t.Errorf("%s: format %q", p.Title, q.Format)
		}
	}
	for _, o := range p.FieldConfig.Overrides {
		for _, prop := range o.Properties {
			if unit, ok := prop.Value.(string); prop.ID == "unit" && (!ok || !slices.Contains(units, unit)) {
				t.Errorf("%s: column %q has unit %v", p.Title, o.Matcher.Options, prop.Value)
			}
		}
	}
}

// checkThresholds: the first step is for everything below, and they ascend.
func checkThresholds(t *testing.T, p panel) {
	t.Helper()
	steps := p.FieldConfig.Defaults.Thresholds.Steps
	if len(steps) == 0 || steps[0].Value != nil {
		t.Errorf("%s: thresholds %+v", p.Title, steps)
		return
	}
	for i, s := range steps {
		if s.Color == "" || i > 0 && (s.Value == nil || i > 1 && *s.Value <= *steps[i-1].Value) {
			t.Errorf("%s: step %d of thresholds %+v", p.Title, i, steps)
		}
	}
}

// checkLinks: a link to a dashboard is to one of ours, and sets variables that it has.
func checkLinks(t *testing.T, d *dashboard, all map[string]*dashboard) {
	t.Helper()
	links := regexp.MustCompile(`"/d/([^?"]+)\?([^"]*)"`).FindAllStringSubmatch(d.text, -1)
	if len(links) == 0 {
		t.Error("no link to another dashboard")
	}
	for _, m := range links {
		to := all[m[1]]
		if to == nil || to == d {
			t.Errorf("link to %q", m[1])
			continue
		}
		for _, set := range regexp.MustCompile(`var-(\w+)=`).FindAllStringSubmatch(m[2], -1) {
			if !slices.ContainsFunc(to.Templating.List, func(v variable) bool { return v.Name == set[1] }) {
				t.Errorf("link to %s sets %s, which it lacks", m[1], set[1])
			}
		}
	}
}

// TestProvisioning: the file that says to Grafana where dashboards are has the
// keys of that form and no others.
func TestProvisioning(t *testing.T) {
	type file struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name    string `yaml:"name"`
			Folder  string `yaml:"folder"`
			Type    string `yaml:"type"`
			Options struct {
				Path string `yaml:"path"`
			} `yaml:"options"`
		} `yaml:"providers"`
	}
	f := read[file](t, deploy+"/grafana/provisioning.yml")
	if f.APIVersion != 1 || len(f.Providers) != 1 || f.Providers[0].Type != "file" || f.Providers[0].Name == "" || f.Providers[0].Options.Path == "" {
		t.Errorf("%+v", f)
	}
}

// fill puts values into an expression as Grafana does.
func fill(expr string, values map[string]string) string {
	for name, value := range values {
		expr = strings.ReplaceAll(expr, "$"+name, value)
	}
	return expr
}

func (p panel) key(uid string, q target) string {
	return fmt.Sprintf("%s/%s/%s", strings.TrimPrefix(uid, "landlockd-"), p.Title, q.RefID)
}
