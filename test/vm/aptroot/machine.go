// SPDX-License-Identifier: Apache-2.0

package aptroot

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// source is one suite of an archive that this machine's apt is configured to use.
type source struct{ label, uri, suite string }

// machineSources asks the machine's own apt where it gets Debian from, in
// whatever form its sources are written.
func machineSources(ctx context.Context) ([]source, error) {
	format := "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(CODENAME)"
	out, err := command(ctx, nil, "apt-get", "indextargets", "--format", format, "Created-By: Packages", "Component: main")
	if err != nil {
		return nil, err
	}
	var sources []source
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		f := strings.Split(line, "|")
		if len(f) == 4 && strings.HasPrefix(f[0], "Debian") && f[2] != "" {
			sources = append(sources, source{label: f[1], uri: f[2], suite: f[3]})
		}
	}
	return sources, nil
}

// findMachineSources is machineSources on a machine that may never have
// fetched its lists.
func findMachineSources(ctx context.Context) ([]source, error) {
	sources, err := machineSources(ctx)
	if err == nil && len(sources) == 0 {
		if _, err := command(ctx, nil, "apt-get", "-qq", "update"); err != nil {
			return nil, err
		}
		sources, err = machineSources(ctx)
	}
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 {
		return nil, errors.New("apt on this machine has no source of Debian packages")
	}
	return sources, nil
}

// MachineList returns the machine's own suites of Debian, as lines of
// sources.list(5), and the name of the release (bookworm).
func MachineList(ctx context.Context) (list, release string, err error) {
	sources, err := findMachineSources(ctx)
	if err != nil {
		return "", "", err
	}
	var lines []string
	for _, s := range sources {
		line := sourceLine(s.uri, s.suite)
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
		if s.label == "Debian" && release == "" {
			release, _, _ = strings.Cut(s.suite, "-")
		}
	}
	if release == "" {
		return "", "", errNoArchive
	}
	return strings.Join(lines, ""), release, nil
}

// SuiteList returns a suite of the archive that the machine gets Debian from, one
// that it need not be configured with, as a line of sources.list(5).
func SuiteList(ctx context.Context, suite string) (string, error) {
	sources, err := findMachineSources(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range sources {
		if s.label == "Debian" {
			return sourceLine(s.uri, suite), nil
		}
	}
	return "", errNoArchive
}

var errNoArchive = errors.New("apt on this machine has no source of Debian's main archive")

func sourceLine(uri, suite string) string {
	return fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, uri, suite)
}

// MachineSettings returns how the machine's apt reaches archives (proxies,
// retries), as lines of apt.conf(5).
func MachineSettings(ctx context.Context) (string, error) {
	out, err := command(ctx, nil, "apt-config", "dump", "Acquire")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, line := range strings.Split(out, "\n") {
		for _, prefix := range []string{"Acquire::http", "Acquire::https", "Acquire::Retries"} {
			if strings.HasPrefix(line, prefix) {
				b.WriteString(line + "\n")
				break
			}
		}
	}
	return b.String(), nil
}

// command runs a program and returns what it printed. What it complained of is
// in the error.
func command(ctx context.Context, env []string, name string, args ...string) (string, error) {
	return commandIn(ctx, "", env, name, args...)
}

func commandIn(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(cmd.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"), env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return string(out), nil
}
