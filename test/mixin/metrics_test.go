// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/collector"
)

// TestMetricsExist: whatever rules, alerts, dashboards and runbooks read is
// exported by the collector, or recorded.
func TestMetricsExist(t *testing.T) {
	known := map[string]bool{}
	for _, d := range collector.Docs() {
		known[d.Name] = true
	}
	records := read[ruleFile](t, filepath.Join(rendered, "rules.yml"))
	for _, r := range records.rules() {
		known[r.Record] = true
	}
	files := slices.Concat(glob(t, rendered+"/*.yml"), glob(t, deploy+"/grafana/dashboards/*.json"), glob(t, runbooks+"/*.md"))
	// A name before a selector, a range or a closing parenthesis; or a recorded one.
	used := regexp.MustCompile(`\b(?:(landlockd?_[a-z_]+)[{\[)]|((?:instance|cluster|workload|rule|right):[a-z_]+:[a-z]+))`)
	found := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllSubmatch(b, -1) {
			found++
			if name := string(m[1]) + string(m[2]); !known[name] {
				t.Errorf("%s: %s is neither exported nor recorded", file, name)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d names found", found)
	}
}
