// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what workflows may have: what else stands there is an error. That its values are
// what GitHub takes, actionlint checks ("make lint").
type workflow struct {
	Name        string
	On          any
	Permissions map[string]string
	Concurrency map[string]string
	Jobs        map[string]struct {
		Name        string
		Permissions map[string]string
		Environment string
		Strategy    struct {
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
			Name, If, Run, Uses, Shell string
			Directory                  string `yaml:"working-directory"`
			With, Env                  map[string]string
		}
	}
}

// loadWorkflow decodes a workflow, whose actions are pinned, whose jobs have a limit of time, and
// which may only read, unless a job says otherwise.
func loadWorkflow(t *testing.T, name string) workflow {
	t.Helper()
	var w workflow
	d := yaml.NewDecoder(bytes.NewReader(read(t, "../.github/workflows/"+name)))
	d.KnownFields(true)
	if err := d.Decode(&w); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
		t.Errorf("%s: permissions are %v, want contents: read", name, w.Permissions)
	}
	for id, job := range w.Jobs {
		if job.Timeout == 0 {
			t.Errorf("%s: job %s has no timeout-minutes", name, id)
		}
		for _, step := range job.Steps {
			if step.Uses != "" && !regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`).MatchString(step.Uses) {
				t.Errorf("%s: %s is not pinned to a commit", name, step.Uses)
			}
		}
	}
	return w
}

// TestReleaseWorkflow: what is released is built, signed, attested and drafted in this order, by a
// job that may write no more than a release and an attestation, and reads nothing of other runs.
func TestReleaseWorkflow(t *testing.T) {
	job, ok := loadWorkflow(t, "release.yml").Jobs["release"]
	if !ok || job.Environment != "release" {
		t.Fatal("release.yml has no job release in the environment of the key")
	}
	want := map[string]string{"contents": "write", "id-token": "write", "attestations": "write"}
	if !maps.Equal(job.Permissions, want) {
		t.Errorf("permissions are %v, want %v", job.Permissions, want)
	}
	order := []string{"make release", "deploy/packaging/sign.sh dist ", "actions/attest-build-provenance@", "gh release create "}
	for _, step := range job.Steps {
		if len(order) > 0 && (strings.Contains(step.Run, order[0]) || strings.HasPrefix(step.Uses, order[0])) {
			order = order[1:]
		}
		if strings.HasPrefix(step.Uses, "actions/cache@") || strings.HasPrefix(step.Uses, "actions/setup-go@") && step.With["cache"] != "false" {
			t.Errorf("%s brings files of other runs", step.Uses)
		}
	}
	if len(order) > 0 {
		t.Errorf("no step, or not in its place: %s", order[0])
	}
}

// TestWorkflow: CI makes what "make test" makes, all of it, by targets that are there.
func TestWorkflow(t *testing.T) {
	var made []string
	for _, job := range loadWorkflow(t, "ci.yml").Jobs {
		for _, step := range job.Steps {
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
	all := strings.FieldsFunc(parts, func(r rune) bool { return r == ' ' || r == '+' })
	if !ok || len(all) < 10 {
		t.Fatalf("make test makes %q", parts)
	}
	for _, part := range all {
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
