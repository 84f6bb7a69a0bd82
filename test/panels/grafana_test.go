// SPDX-License-Identifier: Apache-2.0

package panels

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// dashboard is the part of Grafana's dashboard JSON that is drawn.
type dashboard struct {
	UID, Title string
	Templating struct{ List []variable }
	Panels     []panel
}

type variable struct {
	Name, Label, Type string
	IncludeAll        bool
}

type panel struct {
	ID          int
	Type, Title string
	Description string
	GridPos     struct{ H, W, X, Y int }
	Targets     []struct{ RefID, Expr, LegendFormat string }
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Min, Max   *float64
			Thresholds thresholds
			Mappings   []struct{ Options map[string]mapped }
			Custom     struct{ Stacking struct{ Mode string } }
		}
		Overrides []struct {
			Matcher    struct{ Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
	Transformations []struct {
		ID      string
		Options struct{ RenameByName, IndexByName json.RawMessage }
	}
	Options struct {
		TextMode string
		SortBy   []struct {
			DisplayName string
			Desc        bool
		}
	}
}

type mapped struct{ Text, Color string }

type thresholds struct {
	Steps []struct {
		Value *float64
		Color string
	}
}

// readDashboards returns all, by the last word of their UID.
func readDashboards(t *testing.T) map[string]*dashboard {
	t.Helper()
	files, err := filepath.Glob("../../deploy/grafana/dashboards/landlockd-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboard (%v)", err)
	}
	all := map[string]*dashboard{}
	for _, file := range files {
		d := &dashboard{}
		b, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(b, d)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[d.UID[len("landlockd-"):]] = d
	}
	return all
}

// without is a dashboard of one panel of each type that others have, all of which ask for this.
func without(all map[string]*dashboard, query string) *dashboard {
	d := &dashboard{UID: "landlockd-without", Title: "Without data"}
	for _, other := range all {
		for _, p := range other.Panels {
			same := func(q panel) bool { return q.Type == p.Type }
			if p.Type == "row" || slices.ContainsFunc(d.Panels, same) {
				continue
			}
			p.Title, p.Targets = p.Type, slices.Clone(p.Targets[:1])
			p.Targets[0].Expr = query
			d.Panels = append(d.Panels, p)
		}
	}
	return d
}
