// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfig renders the mixin as an installation may want it otherwise, and
// wants the result to be whole, and different.
func TestConfig(t *testing.T) {
	dir := t.TempDir()
	out, ok := run(t, deploy+"/prometheus/render.sh", dir, `{
		landlockdJob: "sandboxes",
		textfileJob: "devices",
		clusterLabel: "site", worstHosts: 7,
		ruleWindow: "1m30s", ruleFor: "15s", manyHostsFor: "5s", disabledFor: "5s", disabledWindow: "1m", downWindow: "1m", downFor: "20s",
		enableSilent: true, enableDenialBurst: true, enableNestingNearLimit: true,
		enableRuleMatchUnknown: true, enableWaiverLapses: true,
		nodeLabel: "kubernetes_node", podNodes: "label_replace(kube_pod_info, \"kubernetes_node\", \"$1\", \"node\", \"(.+)\")",
		runbookURLPrefix: "https://runbooks.example/",
		dashboardUIDPrefix: "ours-", grafanaURL: "https://grafana.example",
		severities+: {LandlockdDown: "critical"},
	}`)
	if !ok {
		t.Fatal(out)
	}
	for _, name := range []string{"rules.yml", "alerts.yml"} {
		if out, ok := run(t, "promtool", "check", "rules", filepath.Join(dir, "prometheus/rendered", name)); !ok {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	if out, ok := run(t, "amtool", "check-config", filepath.Join(dir, "prometheus/rendered/alertmanager.yml")); !ok {
		t.Error(out)
	}
	alerts := map[string]rule{}
	f := read[ruleFile](t, filepath.Join(dir, "prometheus/rendered/alerts.yml"))
	for _, a := range f.rules() {
		alerts[a.Alert] = a
		if !strings.HasPrefix(a.Annotations["runbook_url"], "https://runbooks.example/"+a.Alert) {
			t.Errorf("%s: runbook_url %q", a.Alert, a.Annotations["runbook_url"])
		}
		if !strings.HasPrefix(a.Annotations["dashboard_url"], "https://grafana.example/d/ours-") {
			t.Errorf("%s: dashboard_url %q", a.Alert, a.Annotations["dashboard_url"])
		}
	}
	for name := range allAlerts(t) {
		if alerts[name].Alert == "" {
			t.Errorf("%s is on and was not rendered", name)
		}
	}
	if a := alerts["LandlockRuleViolated"]; a.For != "15s" || a.Expr != `avg_over_time(landlock_rule_violated{job=~"sandboxes|devices"}[1m30s]) > 0.5` {
		t.Errorf("LandlockRuleViolated: for %s, %s", a.For, a.Expr)
	}
	if s := alerts["LandlockdDown"].Labels["severity"]; s != "critical" {
		t.Errorf("LandlockdDown: severity %q", s)
	}
	checkNoTrace(t, dir)
}

// TestConfigIsChecked: windows that would make alerts come in the wrong order
// are refused, in words.
func TestConfigIsChecked(t *testing.T) {
	for config, want := range map[string]string{
		`{manyHostsFor: "2m"}`:                     "manyHostsFor must be less than ruleFor",
		`{disabledFor: "1h"}`:                      "disabledFor must be less than ruleFor",
		`{disabledWindow: "1d"}`:                   "disabledWindow must not be more than ruleWindow",
		`{downWindow: "16m"}`:                      "downWindow and downFor together",
		`{ruleFor: "soon"}`:                        "not a duration",
		`{ruleFor: "10"}`:                          "not a duration",
		`{ruleWindow: "1m", disabledWindow: "1m"}`: "downWindow and downFor together",
		`{brokenWindow: "21m"}`:                    "brokenUnless must not be less",
		`{settleWindow: "16m"}`:                    "settleRunsWindow must not be less",
		`{nodeLabel: ""}`:                          "podNodes needs nodeLabel",
	} {
		if out, ok := run(t, deploy+"/prometheus/render.sh", t.TempDir(), config); ok || !strings.Contains(out, want) {
			t.Errorf("%s: done: %v, want %q in\n%s", config, ok, want, out)
		}
	}
}

// TestHostsWithoutNodes: whoever wants no labels of Kubernetes gets none.
func TestHostsWithoutNodes(t *testing.T) {
	dir := t.TempDir()
	if out, ok := run(t, deploy+"/prometheus/render.sh", dir, `{nodeLabel: "", podNodes: ""}`); !ok {
		t.Fatal(out)
	}
	path := filepath.Join(dir, "prometheus/rendered/rules.yml")
	if out, ok := run(t, "promtool", "check", "rules", path); !ok {
		t.Error(out)
	}
	f := read[ruleFile](t, path)
	for _, r := range f.rules() {
		if strings.Contains(r.Expr, "kube_") || strings.Contains(r.Expr, "node\"") || strings.Contains(r.Expr, "pod") {
			t.Errorf("%s: %s", r.Record, r.Expr)
		}
	}
}

// checkNoTrace: no file has what was to be replaced.
func checkNoTrace(t *testing.T, dir string) {
	t.Helper()
	files := append(glob(t, dir+"/prometheus/rendered/*.yml"), glob(t, dir+"/grafana/dashboards/*.json")...)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, old := range []string{"by (cluster", ", cluster=", "{cluster=", "'cluster'", "/d/landlockd-", "node([-_]exporter)?", "[10m]) > 0.5", "(50, count", "topk(50, max"} {
			if strings.Contains(string(b), old) && (old != "[10m]) > 0.5" || strings.HasSuffix(file, "rules.yml")) {
				t.Errorf("%s still has %q", filepath.Base(file), old)
			}
		}
	}
}

// TestOptionalAlertsAreOff: what ships switched off is in no file that is loaded.
func TestOptionalAlertsAreOff(t *testing.T) {
	on := read[ruleFile](t, filepath.Join(rendered, "alerts.yml"))
	off := read[ruleFile](t, filepath.Join(rendered, "alerts-optional.yml"))
	for _, o := range off.rules() {
		for _, a := range on.rules() {
			if a.Alert == o.Alert {
				t.Errorf("%s is on", a.Alert)
			}
		}
	}
	if n := len(off.rules()); n != 5 {
		t.Errorf("%d alerts are off, want 5", n)
	}
}

// TestFormat: the jsonnet is formatted as jsonnetfmt does it.
func TestFormat(t *testing.T) {
	path, ok := run(t, "go", "-C", deploy+"/prometheus/tools", "tool", "-n", "jsonnetfmt")
	if !ok {
		t.Fatal(path)
	}
	var files []string
	for _, pattern := range []string{"*.libsonnet", "*/*.libsonnet"} {
		files = append(files, glob(t, deploy+"/prometheus/mixin/"+pattern)...)
	}
	if out, ok := run(t, strings.TrimSpace(path), append([]string{"--test"}, files...)...); !ok {
		t.Errorf("not formatted (jsonnetfmt -i):\n%s", out)
	}
}
