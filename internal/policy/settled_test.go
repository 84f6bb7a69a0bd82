// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoadSettles: files that are replaced or written to while they are read are read again;
// who goes on with that gets an error.
func TestLoadSettles(t *testing.T) {
	dir := t.TempDir()
	main, rule := filepath.Join(dir, "main.yml"), filepath.Join(dir, "rule.yml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	named := func(name string) string { return "rules: [{name: " + name + ", match: {unit: [a.service]}}]\n" }
	rename := func(name string) {
		t.Helper()
		write(rule+".new", named(name))
		if err := os.Rename(rule+".new", rule); err != nil {
			t.Fatal(err)
		}
	}
	for what, change := range map[string]func(){
		"replaced": func() { rename("late") },
		"written":  func() { write(rule, named("late")+"\n") },
	} {
		for _, changes := range []int{0, 1, tries - 1, tries} {
			write(main, "rule_files: [rule.yml]\n")
			rename("early")
			loads := 0
			c, err := settled(main, func(l *loader) (*Config, error) {
				d := &decoder{file: main}
				n := d.document(l.text(d, nil, main))
				c, err := l.rest(d, l.find(d, d.main(n, l.config)))
				if loads++; loads <= changes {
					change()
				}
				return c, err
			})
			var load *LoadError
			switch {
			case changes == tries:
				if !errors.As(err, &load) || !strings.Contains(err.Error(), "replaced while it was read") {
					t.Errorf("%s %d times: %v", what, changes, err)
				}
			case loads != changes+1:
				t.Errorf("%s %d times: %d loads", what, changes, loads)
			case err != nil:
				t.Errorf("%s %d times: %v", what, changes, err)
			case (c.Rules[0].Name == "early") != (changes == 0):
				t.Errorf("%s %d times: it is %s", what, changes, c.Rules[0].Name)
			}
		}
	}
	// What cannot be read stays the reason.
	if _, err := Load(filepath.Join(dir, "none.yml")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Error(err)
	}
}
