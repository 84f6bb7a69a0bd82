// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// newer: the tests of this package run with the newest Prometheus of Debian's suites, not with
// the one that is installed.
var newer = flag.Bool("prometheus.newer", false, "test with Debian's newest Prometheus, which is fetched once")

// ofPrometheus are the packages that have it, which are named after their programs.
var ofPrometheus = []string{"prometheus", "promtool"}

// newerPrograms returns the directory of the newest Prometheus and its promtool, unpacked in the
// cache. Nothing is installed.
var newerPrograms = sync.OnceValues(func() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cache, err := vm.Cache("prometheus")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	logf := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	root, err := aptroot.Open(ctx, filepath.Join(cache, "apt"), logf)
	if err != nil {
		return "", err
	}
	isPrometheus := func(name string) bool { return name == ofPrometheus[0] || name == ofPrometheus[1] }
	packages, err := root.Packages(ctx, isPrometheus)
	if err != nil {
		return "", err
	}
	dirs := map[string]bool{}
	for _, name := range ofPrometheus {
		p, found := aptroot.Newest(packages, func(p aptroot.Package) bool {
			return p.Name == name && p.Architecture == "amd64"
		})
		if !found || aptroot.CompareVersions(p.Version, "3") < 0 {
			return "", fmt.Errorf("%s of version 3 or later is on no mirror", name)
		}
		dir := filepath.Join(cache, p.Version)
		dirs[dir] = true
		if err := unpackProgram(ctx, root, p, dir); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(dirs) != 1 {
		return "", errors.New("prometheus and promtool have different versions")
	}
	for dir := range dirs {
		cache = dir
	}
	return cache, nil
})

// unpackProgram puts the program that a package is named after into dir, once.
func unpackProgram(ctx context.Context, root *aptroot.Root, p aptroot.Package, dir string) error {
	program := filepath.Join(dir, p.Name)
	if _, err := os.Stat(program); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	deb, err := root.Fetch(ctx, p, tmp)
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", deb, tmp).CombinedOutput(); err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, out)
	}
	return os.Rename(filepath.Join(tmp, "usr/bin", p.Name), program)
}

// agentMode is the flag by which Prometheus scrapes and stores nothing itself.
func agentMode() string {
	if *newer {
		return "--agent"
	}
	return "--enable-feature=agent" // before Prometheus 3
}

// TestVersion: the programs that the other tests run are of the version that was asked for.
func TestVersion(t *testing.T) {
	want := "version 2."
	if *newer {
		want = "version 3."
	}
	for _, name := range ofPrometheus {
		if out, ok := run(t, name, "--version"); !ok || !strings.Contains(out, want) {
			t.Errorf("%s: want %s: %s", name, want, out)
		}
	}
}
