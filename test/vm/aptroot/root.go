// SPDX-License-Identifier: Apache-2.0

// Package aptroot fetches Debian packages of suites and architectures that the
// machine itself does not use, through a private root of apt: nothing is
// installed, and the machine's own lists stay as they are. Signatures are
// checked as always.
package aptroot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Suites are looked into beyond those that the machine is configured with.
var Suites = []string{"bookworm", "trixie", "trixie-backports", "sid", "experimental"}

// Architectures are those for which packages are looked up.
var Architectures = []string{"amd64", "arm64"}

// keyring holds Debian's keys (package debian-archive-keyring).
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// listsAge is how long fetched lists are good for.
const listsAge = 12 * time.Hour

// Root is a private root of apt.
type Root struct {
	dir string
	// arches are those of Architectures, and further ones.
	arches []string
	env    []string
	// logf gets what could not be had, if that does not matter yet.
	logf func(format string, args ...any)
	// fetching is held by the one who fetches: apt locks its lists, and fails
	// where they are locked.
	fetching sync.Mutex
}

// Open makes a root in dir, or takes up the one that is there, and fetches its
// lists unless they are young. The mirror is the machine's own. Further architectures need a dir of
// their own.
func Open(ctx context.Context, dir string, logf func(string, ...any), further ...string) (*Root, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	r := &Root{dir: dir, arches: slices.Concat(Architectures, further), env: []string{"APT_CONFIG=" + filepath.Join(dir, "apt.conf")}, logf: logf}
	// Its configuration names dir, to which it may have been moved since.
	if err := r.configure(ctx); err != nil {
		return nil, fmt.Errorf("private root of apt: %w", err)
	}
	if info, err := os.Stat(r.stamp()); err == nil && time.Since(info.ModTime()) < listsAge {
		return r, nil
	}
	return r, r.Update(ctx)
}

func (r *Root) stamp() string { return filepath.Join(r.dir, "updated") }

func (r *Root) configure(ctx context.Context) error {
	sources, err := findMachineSources(ctx)
	if err != nil {
		return err
	}
	settings, err := MachineSettings(ctx)
	if err != nil {
		return err
	}
	for _, d := range []string{"etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d", "state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o755); err != nil {
			return err
		}
	}
	conf := settings + fmt.Sprintf(`Dir %q;
Dir::Etc "etc/apt/";
Dir::State "state/";
Dir::State::status %q;
Dir::Cache "cache/";
Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d/";
APT::Architecture %q;
APT::Architectures { %s };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
`, r.dir, filepath.Join(r.dir, "status"), Architectures[0], quotedList(r.arches))
	return errors.Join(
		os.WriteFile(filepath.Join(r.dir, "status"), nil, 0o644),
		os.WriteFile(filepath.Join(r.dir, "apt.conf"), []byte(conf), 0o644),
		os.WriteFile(filepath.Join(r.dir, "etc/apt/sources.list"), []byte(sourcesList(sources, r.arches)), 0o644),
	)
}

func quotedList(words []string) string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "%q; ", w)
	}
	return strings.TrimSpace(b.String())
}

// sourcesList names the machine's suites, and the further ones on the mirror
// that has the main archive.
func sourcesList(sources []source, arches []string) string {
	var lines []string
	add := func(uri, suite string) {
		line := fmt.Sprintf("deb [arch=%s signed-by=%s] %s %s main\n", strings.Join(arches, ","), keyring, uri, suite)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for _, s := range sources {
		add(s.uri, s.suite)
	}
	for _, s := range sources {
		if s.label != "Debian" {
			continue
		}
		for _, suite := range Suites {
			add(s.uri, suite)
		}
		break
	}
	return strings.Join(lines, "")
}

// Update fetches the lists. A suite that the mirror lacks, or a mirror that
// cannot be reached while older lists are there, is no error.
func (r *Root) Update(ctx context.Context) error {
	_, failure := command(ctx, r.env, "apt-get", "-qq", "update")
	if failure != nil {
		r.logf("some lists of packages could not be fetched: %v", failure)
	}
	packages, err := r.Packages(ctx, func(string) bool { return true })
	if err != nil {
		return err
	}
	if len(packages) == 0 {
		return fmt.Errorf("no list of packages could be fetched: %w", failure)
	}
	if failure == nil {
		return os.WriteFile(r.stamp(), nil, 0o644)
	}
	return nil
}
