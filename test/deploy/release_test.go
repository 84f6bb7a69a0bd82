// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// TestReproducible builds a release from two copies of the tree at different
// places, with different times, and with other modes than Git knows.
func TestReproducible(t *testing.T) {
	a := get(t, first)
	b, err := build("again", "v1.0.0", "amd64 arm64", func() (string, error) {
		dir, err := tree()
		if err != nil {
			return "", err
		}
		other := filepath.Join(scratch, "another place", "tree")
		if err := os.MkdirAll(filepath.Dir(other), 0o755); err != nil {
			return "", err
		}
		if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
			return "", err
		}
		// Checkouts differ in times, and in modes but for the executable bit.
		later := time.Now().Add(time.Hour)
		return other, filepath.WalkDir(other, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if err := os.Chmod(path, info.Mode().Perm()&0o700); err != nil {
				return err
			}
			return os.Chtimes(path, later, later)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	sumsA, sumsB := read(t, filepath.Join(a.dir, "SHA256SUMS")), read(t, filepath.Join(b.dir, "SHA256SUMS"))
	if sumsA != sumsB {
		t.Errorf("the same tree gave\n%s\nand\n%s", sumsA, sumsB)
	}
	lines := strings.Split(strings.TrimSpace(sumsA), "\n")
	if len(lines) != 9 {
		t.Errorf("%d artefacts, want an archive, a deb, an rpm and a bill of materials for each of 2 architectures, and the provenance:\n%s", len(lines), sumsA)
	}
	if other := get(t, second); read(t, filepath.Join(other.dir, "SHA256SUMS")) == sumsA {
		t.Error("another version gives the same")
	}
}

// TestBinaries: static, for the right machine, and built with their version.
func TestBinaries(t *testing.T) {
	r := get(t, first)
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		path := filepath.Join(r.dir, "linux-"+arch, "landlockd")
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Machine != machine {
			t.Errorf("%s: %v", arch, f.Machine)
		}
		if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC }) {
			t.Errorf("%s: not static", arch)
		}
		if here, err := os.Getwd(); err != nil || strings.Contains(read(t, path), filepath.Dir(filepath.Dir(here))) || strings.Contains(read(t, path), scratch) {
			t.Errorf("%s: it has paths of this machine in it (%v)", arch, err)
		}
	}
	out := run(t, filepath.Join(r.dir, "linux-"+runtime.GOARCH, "landlockd"), "--version")
	if !strings.HasPrefix(out, "landlockd, version v1.0.0 (") {
		t.Errorf("--version: %q", out)
	}
}

// TestArchive: what is in it, and that it runs.
func TestArchive(t *testing.T) {
	r, dir := get(t, first), t.TempDir()
	run(t, "tar", "-C", dir, "-xzf", r.file(t, "*-linux-"+runtime.GOARCH+".tar.gz"))
	root := filepath.Join(dir, "landlockd-1.0.0-linux-"+runtime.GOARCH)
	for _, name := range []string{
		"LICENSE", "README.md", "CHANGELOG.md", "landlockd.yml", "assets.yml", "landlockd.1.gz", "systemd/dropins/assets.conf", "known.d/xz.yml",
		"completions/landlockd.bash", "completions/_landlockd", "completions/landlockd.fish", "systemd/landlockd.service", "systemd/landlockd.sysusers",
	} {
		if st, err := os.Stat(filepath.Join(root, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	run(t, filepath.Join(root, "landlockd"), "check-config", filepath.Join(root, "landlockd.yml"), filepath.Join(root, "assets.yml"))
}

// TestBOM: the bill of materials is valid and has what the linker put together.
func TestBOM(t *testing.T) {
	r := get(t, first)
	for _, arch := range []string{"amd64", "arm64"} {
		f, err := os.Open(r.file(t, "*-linux-"+arch+".sbom.cdx.json"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var bom cdx.BOM
		if err := cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
			t.Fatal(err)
		}
		if bom.SpecVersion != cdx.SpecVersion1_5 || bom.Metadata == nil || bom.Metadata.Component == nil || bom.Components == nil || bom.Dependencies == nil {
			t.Fatalf("%s: %+v", arch, bom)
		}
		path := filepath.Join(r.dir, "linux-"+arch, "landlockd")
		main := bom.Metadata.Component
		if main.Version != "1.0.0" || main.Hashes == nil || (*main.Hashes)[0].Value != strings.Fields(run(t, "sha256sum", path))[0] {
			t.Errorf("%s: it is about %+v", arch, main)
		}
		if bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
			t.Errorf("%s: time %s", arch, bom.Metadata.Timestamp)
		}
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, m := range info.Deps {
			want = append(want, "pkg:golang/"+strings.ToLower(m.Path)+"@"+m.Version)
		}
		want = append(want, "pkg:golang/std@"+info.GoVersion)
		var got, refs []string
		for _, c := range *bom.Components {
			got, refs = append(got, c.PackageURL), append(refs, c.BOMRef)
		}
		if !slices.Equal(got, want) || len(want) < 10 {
			t.Errorf("%s: components\n%q\nwant\n%q", arch, got, want)
		}
		all := (*bom.Dependencies)[0]
		if all.Ref != main.BOMRef || all.Dependencies == nil || !slices.Equal(*all.Dependencies, refs) {
			t.Errorf("%s: %s depends on %+v", arch, all.Ref, all.Dependencies)
		}
	}
}

// TestRevision: a commit is named only if nothing was built but what is in it, however the version
// was given.
func TestRevision(t *testing.T) {
	script := filepath.Join(top(t), "deploy/packaging/revision.sh")
	dir := t.TempDir()
	git := func(args ...string) string {
		return run(t, "git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@x"}, args...)...)
	}
	check := func(when, want string) {
		t.Helper()
		if got := run(t, "env", "-C", dir, "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), script); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check("without Git", "")
	git("init", "-q")
	write("a.go", "package a")
	git("add", ".")
	git("commit", "-q", "-m", "a")
	check("as committed", git("rev-parse", "HEAD"))
	write("b.go", "package a")
	check("with a file more", "")
	git("add", ".")
	git("commit", "-q", "-m", "b")
	write("a.go", "package a // changed")
	check("changed", "")
}

// TestVersions: packages of what came later must count as newer, for dpkg and rpm.
func TestVersions(t *testing.T) {
	script := filepath.Join(top(t), "deploy/packaging/version.sh")
	var versions []string
	for _, d := range [][2]string{
		{"6091c3a", "1700000000"}, {"abc1234-dirty", "1700000001"}, {"v1.0.0-rc.1", "1"}, {"v1.0.0", "1"}, {"v1.0.0-4-g6091c3a", "1"},
		{"v1.0.0-12-gabc1234-dirty", "1"}, {"v1.0.1", "1"}, {"v1.2.0", "1"}, {"v1.10.0", "1"},
	} {
		versions = append(versions, strings.TrimSpace(run(t, script, d[0], d[1])))
	}
	if versions[3] != "1.0.0" {
		t.Errorf("v1.0.0 is %s", versions[3])
	}
	for i := 1; i < len(versions); i++ {
		a, b := versions[i-1], versions[i]
		if _, err := try(t.Context(), "dpkg", "--compare-versions", a, "lt", b); err != nil {
			t.Errorf("dpkg: %s is not before %s", a, b)
		}
		if out := run(t, "rpm", "--eval", `%{lua: print(rpm.vercmp("`+a+`", "`+b+`"))}`); strings.TrimSpace(out) != "-1" {
			t.Errorf("rpm: %s is not before %s", a, b)
		}
	}
}
