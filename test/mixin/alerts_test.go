// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAlertsAreDocumented: each alert says what it is in words, and has a page
// that says what to do.
func TestAlertsAreDocumented(t *testing.T) {
	pages, all := map[string]bool{}, dashboards(t)
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
		checkDashboardURL(t, &a, all)
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

// checkDashboardURL: an alert opens a dashboard of ours, and sets variables that it has, each to
// the label that it is about.
func checkDashboardURL(t *testing.T, a *rule, all map[string]*dashboard) {
	t.Helper()
	url := a.Annotations["dashboard_url"]
	uid, _, _ := strings.Cut(strings.TrimPrefix(url, "/d/"), "?")
	d := all[uid]
	if d == nil {
		t.Errorf("%s: dashboard_url is %q", a.Alert, url)
		return
	}
	set := regexp.MustCompile(`\{\{ with \$labels\.(\w+) }}&var-(\w+)=\{\{ \. \| urlquery }}\{\{ end }}`).FindAllStringSubmatch(url, -1)
	if len(set) == 0 {
		t.Errorf("%s: dashboard_url is %q, which chooses nothing", a.Alert, url)
	}
	for _, m := range set {
		if m[1] != m[2] || !slices.ContainsFunc(d.Templating.List, func(v variable) bool { return v.Name == m[2] }) {
			t.Errorf("%s: the variable %s of %s is set to the label %s", a.Alert, m[2], uid, m[1])
		}
	}
}

// checkRunbook: a runbook says first whether it can wait, then one command that shows the cause,
// on the host and in a pod.
func checkRunbook(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(runbooks, name+".md"))
	if err != nil {
		t.Error(err)
		return
	}
	rest := string(b)
	if !regexp.MustCompile("^# " + name + "\n\n## Can it wait\\?\n\n(Yes|No|Until)\\b").MatchString(rest) {
		t.Errorf("runbook %s does not say first whether it can wait", name)
	}
	for _, heading := range []string{"# " + name + "\n", "\n## Can it wait?\n", "\n## One command\n", "\n## Meaning\n", "\n## Impact\n", "\n## Look\n", "\n## Mend\n"} {
		_, after, found := strings.Cut(rest, heading)
		if !found {
			t.Errorf("runbook %s: no heading %q, or not in this order", name, strings.TrimSpace(heading))
			return
		}
		if text, _, _ := strings.Cut(strings.TrimLeft(after, "\n"), "\n#"); heading[0] == '\n' && len(strings.TrimSpace(text)) < 40 {
			t.Errorf("runbook %s: nothing to read below %q", name, strings.TrimSpace(heading))
		}
		if heading == "\n## One command\n" {
			text, _, _ := strings.Cut(after, "\n#")
			blocks := strings.Count(text, "```sh\n")
			host, pod := strings.Contains(text, "\nOn the host:\n\n```sh\n"), strings.Contains(text, "\nOf the pod on the node `NODE`:\n\n```sh\nkubectl -n landlockd ")
			// Nothing else is of hosts alone.
			if onHosts := name == "LandlockdTextfileStale"; !host || pod == onHosts || blocks != 2 && !onHosts {
				t.Errorf("runbook %s: %d commands, on a host %v, in a pod %v:\n%s", name, blocks, host, pod, text)
			}
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
