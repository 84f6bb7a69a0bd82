// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/test/vm"
)

// build compiles the kernel, outside of its tree, and returns the image's path.
// A warning is an error (CONFIG_WERROR).
func (b *builder) build(dir string) (string, error) {
	// The short builds come first: they find most mistakes. All are made in
	// one folder, so that the build's own tools are compiled once.
	out := filepath.Join(dir, "out")
	if err := b.start(out); err != nil {
		return "", err
	}
	for _, v := range variants {
		if err := b.configure(out, without(baseConfig, v.off)); err != nil {
			return "", fmt.Errorf("%s: %w", v.name, err)
		}
		if err := b.make(out, v.targets...); err != nil {
			return "", fmt.Errorf("%s: %w", v.name, err)
		}
	}
	if err := b.configure(out, b.config); err != nil {
		return "", err
	}
	if err := b.make(out, "vmlinux"); err != nil {
		return "", err
	}
	image := filepath.Join(dir, "vmlinux")
	return image, b.run(out, nil, "strip", "-o", image, "vmlinux")
}

// variants are configurations in which what our patches change must compile
// too: without Landlock, and without anything that Landlock could log to.
var variants = []variant{
	{
		"without-landlock", []string{"SECURITY_LANDLOCK"},
		[]string{"fs/proc/base.o", "security/security.o"},
	},
	{
		// All of Landlock: headers and a Makefile are changed, too.
		"without-log", []string{"SECURITY_LANDLOCK_LOG", "AUDIT", "SECURITY_SELINUX", "SECURITY_APPARMOR"},
		[]string{"security/landlock/"},
	},
}

// variant is a configuration that lacks the first of some options, for which the
// others have to be off too.
type variant struct {
	name         string
	off, targets []string
}

// without returns a configuration that lacks some options.
func without(config string, off []string) string {
	var b strings.Builder
	for line := range strings.Lines(config) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "CONFIG_"), "=")
		drop := false
		for _, o := range off {
			drop = drop || name == o
		}
		if !drop {
			b.WriteString(line)
		}
	}
	for _, o := range off {
		fmt.Fprintf(&b, "# CONFIG_%s is not set\n", o)
	}
	return b.String()
}

// AttrTest is the name of the program, for the kernel's own harness of tests, that the
// series has for the attribute.
const AttrTest = "attr_test"

// buildAttrTest compiles the series' tests of the attribute, as their Makefile does but
// static, and returns the path.
func (b *builder) buildAttrTest(dir string) (string, error) {
	out := filepath.Join(dir, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", err
	}
	if err := b.make(out, "headers"); err != nil {
		return "", err
	}
	tests := filepath.Join(b.tree, selftests)
	program := filepath.Join(dir, AttrTest)
	return program, b.run(filepath.Join(tests, "landlock"), nil, "gcc", "-std=gnu99", "-Wall", "-Werror", "-O2", "-static", "-D_GNU_SOURCE=",
		"-I"+tests, "-isystem", filepath.Join(out, "usr/include"), "-o", program, AttrTest+".c", "-lcap", "-lpthread")
}

// start makes the configuration that others are made from.
func (b *builder) start(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := b.make(out, "tinyconfig"); err != nil {
		return err
	}
	var err error
	b.tiny, err = os.ReadFile(filepath.Join(out, ".config"))
	return err
}

// configure makes a configuration, and fails if an option did not come to be:
// the kernel's tools drop without a word what they do not know or what depends
// on something that is not there.
func (b *builder) configure(out, options string) error {
	file := filepath.Join(out, ".config")
	if err := os.WriteFile(file, []byte(string(b.tiny)+"\n"+options), 0o644); err != nil {
		return err
	}
	if err := b.make(out, "olddefconfig"); err != nil {
		return err
	}
	result, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return missing(string(result), options)
}

// missing returns an error that names the options that are not as wanted.
func missing(result, wanted string) error {
	have := make(map[string]bool)
	for line := range strings.Lines(result) {
		have[strings.TrimSpace(line)] = true
	}
	var errs []error
	for line := range strings.Lines(wanted) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutSuffix(line, " is not set"); ok {
			name = strings.TrimPrefix(name, "# ")
			if strings.Contains(result, "\n"+name+"=") {
				errs = append(errs, fmt.Errorf("%s is set", name))
			}
			continue
		}
		if strings.HasPrefix(line, "CONFIG_") && !have[line] {
			errs = append(errs, fmt.Errorf("%s is not in the kernel's configuration", line))
		}
	}
	return errors.Join(errs...)
}

func (b *builder) make(out string, targets ...string) error {
	jobs := strconv.Itoa(runtime.NumCPU())
	return b.run(b.tree, nil, "nice", append([]string{"-n", "19", "make", "-s", "-j", jobs, "O=" + out, "KBUILD_BUILD_USER=landlockd", "KBUILD_BUILD_HOST=test",
		// Where variables live at each instruction is of no use to anybody here.
		"KCFLAGS=-fno-var-tracking"}, targets...)...)
}

// run runs a program. What it says goes to the log.
func (b *builder) run(dir string, in io.Reader, name string, args ...string) error {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Dir, cmd.Stdin = dir, in
	return vm.RunLogged(cmd, b.log)
}
