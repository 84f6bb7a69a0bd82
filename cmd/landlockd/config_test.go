// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

func TestConfigDirs(t *testing.T) {
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
	s := &settings{configFile: main}
	c, err := s.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.configDirs(c)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{filepath.Join(dir, "archive"), filepath.Join(dir, "etc"), filepath.Join(dir, "etc/rules.d"), filepath.Join(dir, "later")}
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}

	got, err = (&settings{}).configDirs(policy.Default())
	if want := []string{"/etc/landlockd", "/usr/lib/landlockd/rules.d", "/etc/landlockd/rules.d"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("without --config.file: %q, %v; want %q", got, err, want)
	}
}

func TestConfigError(t *testing.T) {
	one := policy.Problem{File: "a.yml", Line: 1, Column: 2, Message: "bad"}
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("other"), "other"},
		{&policy.LoadError{Problems: []policy.Problem{one}}, "a.yml:1:2: bad"},
		{&policy.LoadError{Problems: []policy.Problem{one, one, one}}, "a.yml:1:2: bad (and 2 more: landlockd check-config tells all)"},
	} {
		err := configError(c.err)
		var usage usageError
		if !errors.As(err, &usage) || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestCheckFlags(t *testing.T) {
	for line, want := range map[string]string{
		"check --require-matches -o nagios": cmdCheck,
		"check":                             cmdCheck, "check --pid=1 --expect=min_depth=1": cmdCheck, "check -o nagios --snapshot=x": cmdCheck, "check --explain=7 -o json": cmdCheck,
		"check-config": cmdConfig, "check-config a b": cmdConfig, "rules suggest": cmdRules, "rules suggest --snapshot=x": cmdRules,
		"serve --config.file=x --web.enable-lifecycle": cmdServe, "--config.file=x": cmdServe, "once --config.file=x": cmdOnce,
	} {
		if _, command, err := parse(strings.Fields(line)); err != nil || command != want {
			t.Errorf("%q: %s, %v; want %s", line, command, err, want)
		}
	}
	for line, want := range map[string]string{
		"check --pid=1": "--expect", "check --expect=min_depth=1": "--pid", "check --pid=-1 --expect=x": "--pid", "check --pid=4294967297 --expect=x": "--pid",
		"check --explain=-1": "--explain", "check --pid=1 --expect=x --explain=1": "--explain", "check --explain=1 -o nagios": "nagios",
		"check --explain=1 --require-matches":        "--require-matches",
		"check --pid=1 --expect=x --require-matches": "--require-matches",
		"check -o xml": "xml", "check --output=xml": "xml", "rules": "command", "rules suggets": "suggets", "tree --config.file=x": "--config.file", "check x": "x",
	} {
		_, _, err := parse(strings.Fields(line))
		var usage usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want one of usage that tells %s", line, err, want)
		}
	}
}

// The codes that check promises, whatever else an error is.
func TestExitCodes(t *testing.T) {
	var code codeError
	if err := undecided(usageError{errors.New("x")}); errors.As(err, &code) {
		t.Errorf("wrong usage becomes %v", err)
	}
	if err := undecided(errors.New("x")); !errors.As(err, &code) || code.code != exitUndecided {
		t.Errorf("%v", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.yml")
	if err := os.WriteFile(bad, []byte("rules: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"landlockd", "check-config", bad}, exitUsage},
		{[]string{"landlockd", "check", "--config.file=" + bad}, exitUsage},
		{[]string{"landlockd", "rules", "suggest", "--snapshot=" + bad}, exitUsage},
	} {
		text := standardError(t, func() {
			if got := run(c.args); got != c.code {
				t.Errorf("%q: %d, want %d", c.args, got, c.code)
			}
		})
		if !strings.Contains(text, "bad.yml") || strings.Count(text, "\n") != 1 {
			t.Errorf("%q: %s", c.args, text)
		}
	}
}

// fakeSource returns a snapshot for each scan, with their number as Passes.
type fakeSource struct {
	scans int
	err   error
}

func (f *fakeSource) Scan(context.Context) (*scan.Snapshot, error) {
	f.scans++
	return &scan.Snapshot{Passes: f.scans}, f.err
}

func (f *fakeSource) Close() error { return nil }

// A host is looked at again because of what was not known, but not for ever.
func TestLookUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for told, want := range map[int]int{1: 1, 2: 2, maxLooks: maxLooks, maxLooks + 1: maxLooks} {
			src := &fakeSource{}
			var favoured []int32 // what each look is about, before the next
			snap, err := lookUntil(src, func(pids []int32) { favoured = append(favoured, pids...) },
				func(s *scan.Snapshot) (bool, []int32) { return s.Passes == told, []int32{int32(s.Passes)} })
			if err != nil || src.scans != want || snap.Passes != want || len(favoured) != want-1 {
				t.Errorf("told in scan %d: %d scans, snapshot %+v, %v", told, src.scans, snap, err)
			}
		}
		src := &fakeSource{err: errors.New("x")}
		if _, err := lookUntil(src, nil, func(*scan.Snapshot) (bool, []int32) { return false, nil }); err == nil || src.scans != 1 {
			t.Errorf("a scan that fails: %v, %d scans", err, src.scans)
		}
	})
}

// What the second stage may read passes to it.
func TestHandoffOfCmdline(t *testing.T) {
	for _, want := range []bool{true, false} {
		o := &opened{failure: &scan.Error{Reason: "no_btf", Missing: "x"}, cmdline: want}
		files, err := o.pack()
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Dup(int(files[0].Fd())) // readHandoff closes it
		if err != nil {
			t.Fatal(err)
		}
		h, err := readHandoff(strconv.Itoa(fd))
		if err != nil || h.Cmdline != want {
			t.Errorf("%v, %v; want %v", h.Cmdline, err, want)
		}
	}
}
