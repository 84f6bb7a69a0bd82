// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAlertsAreDocumented: each alert says what it is in words, and has a page
// that says what to do.
func TestAlertsAreDocumented(t *testing.T) {
	pages := map[string]bool{}
	for _, file := range glob(t, runbooks+"/*.md") {
		pages[strings.TrimSuffix(filepath.Base(file), ".md")] = true
	}
	delete(pages, "README")
	for name, a := range allAlerts(t) {
		for _, text := range []string{"summary", "description"} {
			if len(a.Annotations[text]) < 20 {
				t.Errorf("%s: %s is %q", name, text, a.Annotations[text])
			}
		}
		if !strings.HasSuffix(a.Annotations["runbook_url"], "/docs/runbooks/"+name+".md") {
			t.Errorf("%s: runbook_url is %q", name, a.Annotations["runbook_url"])
		}
		checkRunbook(t, name)
		delete(pages, name)
	}
	for name := range pages {
		t.Errorf("runbook %s is of no alert", name)
	}
	index, err := os.ReadFile(filepath.Join(runbooks, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range allAlerts(t) {
		if !strings.Contains(string(index), "("+name+".md)") {
			t.Errorf("%s is not in the runbooks' README.md", name)
		}
	}
}

func checkRunbook(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(runbooks, name+".md"))
	if err != nil {
		t.Error(err)
		return
	}
	rest := string(b)
	for _, heading := range []string{"# " + name + "\n", "\n## Meaning\n", "\n## Impact\n", "\n## Look\n", "\n## Mend\n"} {
		_, after, found := strings.Cut(rest, heading)
		if !found {
			t.Errorf("runbook %s: no heading %q, or not in this order", name, strings.TrimSpace(heading))
			return
		}
		if text, _, _ := strings.Cut(strings.TrimLeft(after, "\n"), "\n#"); heading[0] == '\n' && len(strings.TrimSpace(text)) < 40 {
			t.Errorf("runbook %s: nothing to read below %q", name, strings.TrimSpace(heading))
		}
		rest = "\n" + after
	}
}

// TestSeverities: each alert has one, of its own or of the series that it is about.
func TestSeverities(t *testing.T) {
	ofSeries := map[string]bool{
		"LandlockRuleViolated": true, "LandlockRuleBroken": true,
		"LandlockRuleViolatedOnManyHosts": true, "LandlockDisabled": true,
	}
	for name, a := range allAlerts(t) {
		switch s, own := a.Labels["severity"]; {
		case own == ofSeries[name]:
			t.Errorf("%s: label severity is there: %v, want %v", name, own, !own)
		case own && s != "info" && s != "warning" && s != "critical":
			t.Errorf("%s: severity %q", name, s)
		}
	}
}
