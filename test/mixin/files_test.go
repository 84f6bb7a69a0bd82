// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	deploy   = "../../deploy"
	rendered = deploy + "/prometheus/rendered"
	runbooks = "../../docs/runbooks"
)

// tool returns the path of a program; without it there is no test.
func tool(t *testing.T, name string) string {
	t.Helper()
	if *newer && slices.Contains(ofPrometheus, name) {
		dir, err := newerPrograms()
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("needs %s: run make setup, or install Debian's prometheus and prometheus-alertmanager", name)
	}
	return path
}

// run returns a program's output and whether it succeeded.
func run(t *testing.T, name string, args ...string) (string, bool) {
	t.Helper()
	out, err := exec.Command(tool(t, name), args...).CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out), err == nil
}

// ruleFile is a file of recording rules or alerts.
type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

type rule struct {
	Record      string            `yaml:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

func (f *ruleFile) rules() (all []rule) {
	for _, g := range f.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// testFile is one of promtool's tests of rules.
type testFile struct {
	RuleFiles          []string   `yaml:"rule_files"`
	GroupEvalOrder     []string   `yaml:"group_eval_order,omitempty"`
	EvaluationInterval string     `yaml:"evaluation_interval"`
	Tests              []ruleTest `yaml:"tests"`
}

type ruleTest struct {
	Name        string           `yaml:"name,omitempty"`
	Interval    string           `yaml:"interval"`
	InputSeries []map[string]any `yaml:"input_series"`
	Alerts      []alertTest      `yaml:"alert_rule_test,omitempty"`
	Exprs       []map[string]any `yaml:"promql_expr_test,omitempty"`
}

type alertTest struct {
	Alert    string           `yaml:"alertname"`
	At       string           `yaml:"eval_time"`
	Expected []map[string]any `yaml:"exp_alerts"`
}

// read decodes a YAML file strictly.
func read[T any](t *testing.T, path string) T {
	t.Helper()
	var v T
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// write encodes a value as YAML.
func write(t *testing.T, path string, v any) {
	t.Helper()
	b, err := yaml.Marshal(v)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// glob returns the files of a pattern, of which there must be some.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file %s (%v)", pattern, err)
	}
	return files
}

// allAlerts are those that are on and those that are off, by name.
func allAlerts(t *testing.T) map[string]rule {
	t.Helper()
	alerts := map[string]rule{}
	for _, file := range []string{"alerts.yml", "alerts-optional.yml"} {
		f := read[ruleFile](t, filepath.Join(rendered, file))
		for _, r := range f.rules() {
			if r.Alert == "" || alerts[r.Alert].Alert != "" {
				t.Errorf("%s: rule %q is no alert, or there are two of this name", file, r.Alert+r.Record)
			}
			alerts[r.Alert] = r
		}
	}
	return alerts
}
