// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/landlockd/landlockd/internal/policy"
)

func TestDirectories(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"etc", "etc/rules.d", "archive"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	main := filepath.Join(dir, "etc/landlockd.yml")
	real := filepath.Join(dir, "archive/a.yml")
	if err := errors.Join(os.WriteFile(main, []byte("rule_files: [rules.d/*.yml, ../later/*.yml]\n"), 0o600),
		os.WriteFile(real, []byte("rules: []\n"), 0o600), os.Symlink(real, filepath.Join(dir, "etc/rules.d/a.yml"))); err != nil {
		t.Fatal(err)
	}
	c, err := Load(main)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Directories(main, c)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{filepath.Join(dir, "archive"), filepath.Join(dir, "etc"), filepath.Join(dir, "etc/rules.d"), filepath.Join(dir, "later")}
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}

	got, err = Directories("", policy.Default())
	if want := []string{"/etc/landlockd", "/usr/lib/landlockd/rules.d", "/etc/landlockd/rules.d"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("without --config.file: %q, %v; want %q", got, err, want)
	}
}

func TestBrief(t *testing.T) {
	one := policy.Problem{File: "a.yml", Line: 1, Column: 2, Message: "bad"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("other"), "other"},
		{&policy.LoadError{Problems: []policy.Problem{one}}, "a.yml:1:2: bad"},
		{&policy.LoadError{Problems: []policy.Problem{one, one, one}}, "a.yml:1:2: bad (and 2 more: landlockd check-config shows all)"},
	} {
		if err := Brief(c.err); err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
