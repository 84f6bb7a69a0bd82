// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestSigned signs a release with a key of its own, as the workflow does, and verifies it in the
// words of docs/install.md; what was changed, or signed by another or for something else, is
// refused.
func TestSigned(t *testing.T) {
	r, dir := get(t, first), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	sign, keys := filepath.Join(top(t), "deploy/packaging/sign.sh"), t.TempDir()
	for _, name := range []string{"ours", "other"} {
		run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", filepath.Join(keys, name))
	}
	ours, allowed := filepath.Join(keys, "ours"), filepath.Join(dir, "allowed_signers")
	write(t, allowed, `landlockd namespaces="release" `+read(t, ours+".pub"))

	checks := commands(t)[""] // docs/install.md, above its first part
	if len(checks) != 2 || !strings.HasPrefix(checks[0], "ssh-keygen ") || !strings.HasPrefix(checks[1], "sha256sum ") {
		t.Fatalf("docs/install.md says to check downloads by %q", checks)
	}
	verify := func() error {
		_, err := tryIn(t.Context(), dir, nil, "sh", "-euc", strings.Join(checks, "\n"))
		return err
	}
	sums := filepath.Join(dir, "SHA256SUMS")
	good := read(t, sums)
	if err := verify(); err == nil {
		t.Error("what nobody signed is taken")
	}
	run(t, sign, dir, ours, allowed)
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	write(t, sums, good+"\n")
	if err := verify(); err == nil {
		t.Error("changed checksums are taken")
	}
	write(t, sums, good)
	deb := filepath.Join(dir, filepath.Base(r.deb(t)))
	was := read(t, deb)
	write(t, deb, was+"x")
	if err := verify(); err == nil {
		t.Error("a changed package is taken")
	}
	write(t, deb, was)
	if out, err := try(t.Context(), sign, dir, filepath.Join(keys, "other"), allowed); err == nil {
		t.Errorf("a key that nobody knows signs:\n%s", out)
	}
	if _, err := os.Stat(sums + ".sig"); err == nil {
		t.Error("a signature that users refuse is left")
	}
	run(t, "ssh-keygen", "-q", "-Y", "sign", "-n", "something-else", "-f", ours, sums)
	if err := verify(); err == nil {
		t.Error("a signature that is for something else is taken")
	}
	// The file of the tree has keys of this form, or none.
	for line := range strings.Lines(read(t, filepath.Join(top(t), "deploy/packaging/allowed_signers"))) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, `landlockd namespaces="release" `) {
			t.Errorf("allowed_signers: %s", line)
		}
	}
}

// statement is an in-toto statement with SLSA's provenance, as far as release.sh writes one.
type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Name   string
		Digest map[string]string
	}
	PredicateType string
	Predicate     struct {
		BuildDefinition struct {
			BuildType            string
			ExternalParameters   map[string]string
			ResolvedDependencies []struct {
				URI    string
				Digest map[string]string
			}
		}
		RunDetails struct{ Builder struct{ ID string } }
	}
}

// TestProvenance: the statement is about all that is released, with its checksums, and names the
// commit and the Go that it was made from.
func TestProvenance(t *testing.T) {
	r := get(t, first)
	d := json.NewDecoder(strings.NewReader(read(t, r.file(t, "*.provenance.json"))))
	d.DisallowUnknownFields()
	var s statement
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	if s.Type != "https://in-toto.io/Statement/v1" || s.PredicateType != "https://slsa.dev/provenance/v1" {
		t.Errorf("a %s of %s", s.Type, s.PredicateType)
	}
	var stated strings.Builder
	for _, one := range s.Subject {
		stated.WriteString(one.Digest["sha256"] + "  " + one.Name + "\n")
	}
	sums := read(t, filepath.Join(r.dir, "SHA256SUMS"))
	if rest, ok := strings.CutPrefix(sums, stated.String()); !ok || strings.Count(rest, "\n") != 1 || !strings.HasSuffix(rest, ".provenance.json\n") {
		t.Errorf("it is about\n%s\nSHA256SUMS has\n%s", &stated, sums)
	}
	build, run := s.Predicate.BuildDefinition, s.Predicate.RunDetails
	if !strings.HasSuffix(build.BuildType, "/deploy/packaging/release.sh") || run.Builder.ID != build.BuildType {
		t.Errorf("built by %q, %q", build.BuildType, run.Builder.ID)
	}
	if p := build.ExternalParameters; p["VERSION"] != "v1.0.0" || p["SOURCE_DATE_EPOCH"] != epoch || p["ARCHES"] != "amd64 arm64" {
		t.Errorf("with %q", p)
	}
	from := build.ResolvedDependencies
	if len(from) != 2 || from[0].URI != "git+https://github.com/landlockd/landlockd" || from[0].Digest["gitCommit"] != revision ||
		from[1].URI != "pkg:generic/go@"+strings.TrimPrefix(runtime.Version(), "go") {
		t.Errorf("from %+v", from)
	}
}
