// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what ci.yml may have: what else stands there is an error. That its values are
// what GitHub takes, actionlint checks ("make lint").
type workflow struct {
	Name        string
	On          any
	Permissions map[string]string
	Concurrency map[string]string
	Jobs        map[string]struct {
		Name     string
		Strategy struct {
			FailFast bool `yaml:"fail-fast"`
			Matrix   struct{ Target []string }
		}
		RunsOn    string `yaml:"runs-on"`
		Timeout   int    `yaml:"timeout-minutes"`
		Container struct {
			Image, Options string
			Env            map[string]string
		}
		Steps []struct {
			Name, Run, Uses string
			With            map[string]string
		}
	}
}

// TestWorkflow: CI makes what "make test" makes, all of it, by targets that are there; with
// actions that are pinned, a limit of time, and no right but to read.
func TestWorkflow(t *testing.T) {
	var w workflow
	d := yaml.NewDecoder(bytes.NewReader(read(t, "../.github/workflows/ci.yml")))
	d.KnownFields(true)
	if err := d.Decode(&w); err != nil {
		t.Fatal(err)
	}
	if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
		t.Errorf("permissions are %v, want contents: read", w.Permissions)
	}
	var made []string
	for name, job := range w.Jobs {
		if job.Timeout == 0 {
			t.Errorf("job %s has no timeout-minutes", name)
		}
		for _, step := range job.Steps {
			if step.Uses != "" && !regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`).MatchString(step.Uses) {
				t.Errorf("%s is not pinned to a commit", step.Uses)
			}
			for _, m := range regexp.MustCompile(`(?m)^make (.+)$`).FindAllStringSubmatch(step.Run, -1) {
				if m[1] == "${{ matrix.target }}" {
					made = append(made, job.Strategy.Matrix.Target...)
				} else {
					made = append(made, strings.Fields(m[1])...)
				}
			}
		}
	}
	makefile := string(read(t, "../Makefile"))
	for _, target := range made {
		if !strings.Contains(makefile, "\n"+target+":") {
			t.Errorf("make %s: there is no such target", target)
		}
	}
	_, parts, ok := strings.Cut(makefile, "test/run.sh ")
	parts, _, _ = strings.Cut(parts, "\n")
	if !ok || len(strings.Fields(parts)) < 8 {
		t.Fatalf("make test makes %q", parts)
	}
	for part := range strings.FieldsSeq(parts) {
		if !slices.Contains(made, part) {
			t.Errorf("CI does not make %s, which make test does", part)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
