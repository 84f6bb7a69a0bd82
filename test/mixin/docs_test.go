// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConfigsOfTheDocs: Prometheus takes the configurations that docs/fleet.md
// shows. A block's first line says which file it is.
func TestConfigsOfTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 2 {
		t.Fatalf("%d configurations, want 2", len(blocks))
	}
	dir := t.TempDir()
	for _, name := range []string{"rules.yml", "alerts.yml"} {
		b, err := os.ReadFile(filepath.Join(rendered, name))
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, "landlockd"), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "landlockd", name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range blocks {
		args := []string{"check", "config"}
		if strings.HasPrefix(b[1], "# agent.yml") {
			args = append(args, "--agent")
		}
		file := filepath.Join(dir, "prometheus.yml")
		if err := os.WriteFile(file, []byte(b[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, ok := run(t, "promtool", append(args, file)...); !ok {
			t.Errorf("%s\n%s", b[1], out)
		}
	}
}

// TestReadmeNamesEveryRecord: what is recorded stands in the README.
func TestReadmeNamesEveryRecord(t *testing.T) {
	b, err := os.ReadFile(deploy + "/prometheus/README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, m := range regexp.MustCompile(`\{(\w+),(\w+)\}`).FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(text) {
			if strings.Contains(line, m[0]) {
				text += strings.ReplaceAll(line, m[0], m[1]) + strings.ReplaceAll(line, m[0], m[2])
			}
		}
	}
	f := read[ruleFile](t, filepath.Join(rendered, "rules.yml"))
	for _, r := range f.rules() {
		if !strings.Contains(text, "`"+r.Record+"`") {
			t.Errorf("%s is not in the README", r.Record)
		}
	}
}
