// SPDX-License-Identifier: Apache-2.0

// Package run boots Debian guests with systemd and judges what they say.
package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/landlockd/landlockd/test/kernels/aptroot"
	"github.com/landlockd/landlockd/test/kernels/machine"
	"github.com/landlockd/landlockd/test/kernels/qemu"
	"github.com/landlockd/landlockd/test/kernels/stock"
	"github.com/landlockd/landlockd/test/kernels/verdict"
	"github.com/landlockd/landlockd/test/systemd/image"
)

// Tools are the files that a run needs, and the Debian packages that have them.
var Tools = map[string]string{
	"qemu-system-x86_64":               "qemu-system-x86",
	"/usr/share/seabios/bios-256k.bin": "seabios",
	"/sbin/debugfs":                    "e2fsprogs",
}

// Options say what to run and where.
type Options struct {
	// Module is the root of this Go module.
	Module string
	// Kernels and Images are caches; Logs gets the console of every boot that
	// failed.
	Kernels, Images, Logs string
	// Series is the kernel's, such as "6.12".
	Series string
	// Daemon is the path of a landlockd; empty is one built from the module.
	Daemon string
	// Scenarios selects by name; nil means all.
	Scenarios *regexp.Regexp
	// Checks are run in place of each scenario's own; nil means its own.
	Checks []string
	// Timeout bounds one boot.
	Timeout time.Duration
	// Verbose prints every fact and log line.
	Verbose bool
	Out     io.Writer
}

// Run runs the scenarios, one after the other, and tells whether all went well.
// The error is about the run itself.
func Run(ctx context.Context, o Options) (bool, error) {
	for _, dir := range []string{o.Kernels, o.Images, o.Logs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return false, err
		}
	}
	r := runner{Options: o, ctx: ctx}
	if err := r.getKernel(); err != nil {
		return false, fmt.Errorf("a kernel of series %s: %w", o.Series, err)
	}
	list, release, err := aptroot.MachineList(ctx)
	if err != nil {
		return false, err
	}
	r.list, r.release = list, release
	ran, all := 0, true
	for _, s := range Scenarios() {
		if o.Scenarios != nil && !o.Scenarios.MatchString(s.Name) {
			continue
		}
		if o.Checks != nil {
			s.Checks = o.Checks
		}
		ok, err := r.scenario(s)
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.Name, err)
		}
		ran, all = ran+1, all && ok
	}
	if ran == 0 {
		return false, errors.New("no scenario has such a name")
	}
	return all, nil
}

// runner is one run.
type runner struct {
	Options
	ctx context.Context
	// kernel is a path, version that of the package it is from.
	kernel, version string
	// list and release are where the machine has Debian from.
	list, release string
}

// getKernel gets Debian's kernel of the series, which needs no modules to boot.
func (r *runner) getKernel() error {
	logf := func(format string, args ...any) { fmt.Fprintf(r.Out, format+"\n", args...) }
	root, err := aptroot.Open(r.ctx, filepath.Join(r.Kernels, "apt"), logf)
	if err != nil {
		return err
	}
	packages, err := root.Packages(r.ctx)
	if err != nil {
		return err
	}
	p, ok := stock.Find(packages, r.Series, "amd64")
	if !ok {
		return errors.New("not on the mirror")
	}
	r.version = p.Version
	r.kernel, err = stock.Image(r.ctx, root, p, r.Kernels)
	return err
}

// scenario runs one and tells whether it went well.
func (r *runner) scenario(s Scenario) (bool, error) {
	tmp, err := os.MkdirTemp("", "landlockd-systemd-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tmp)
	base, err := r.image(s)
	if err != nil {
		return false, err
	}
	payload := filepath.Join(tmp, "payload")
	if err := os.Mkdir(payload, 0o755); err != nil {
		return false, err
	}
	for _, add := range append([]Payload{checks}, s.Payload...) {
		if err := add(r.ctx, r.Options, payload); err != nil {
			return false, err
		}
	}
	root := filepath.Join(tmp, "root")
	if text, err := exec.CommandContext(r.ctx, "cp", "--sparse=always", "--reflink=auto", base, root).CombinedOutput(); err != nil {
		return false, fmt.Errorf("copy %s: %w: %s", base, err, text)
	}
	if err := put(r.ctx, payload, root); err != nil {
		return false, err
	}
	m := qemu.Machine{
		Arch: "amd64", Kernel: r.kernel, Disk: root, Timeout: r.Timeout,
		CommandLine: verdict.CommandLine("root=/dev/nvme0n1 rootfstype=ext4 rootwait rw systemd.show_status=0", append(s.Checks, "kernel")),
	}
	out, err := m.Run(r.ctx)
	if r.ctx.Err() != nil {
		return false, r.ctx.Err()
	}
	return r.judge(s, out, err), nil
}

// image returns the root filesystem of a scenario.
func (r *runner) image(s Scenario) (string, error) {
	recipe := image.Recipe{Release: r.release, Packages: s.Packages}
	if err := machine.Install(r.ctx, r.Out, image.Tools); err != nil {
		return "", err
	}
	began := time.Now()
	path, err := image.Build(r.ctx, recipe, r.list, r.Images)
	if took := time.Since(began); err == nil && took > time.Second {
		fmt.Fprintf(r.Out, "made  %s in %s\n", filepath.Base(path), took.Round(time.Second))
	}
	return path, err
}

// judge prints what came of a boot. A check that could not be made has failed:
// the guest is ours to choose.
func (r *runner) judge(s Scenario, out qemu.Outcome, err error) bool {
	v := verdict.Judge(out, err, append(s.Checks, "kernel"))
	for _, skipped := range v.Skipped {
		v.Problems = append(v.Problems, "skipped: "+skipped)
	}
	if !v.OK() {
		v.Console = filepath.Join(r.Logs, s.Name+".console.log")
		if err := os.WriteFile(v.Console, out.Console, 0o644); err != nil {
			v.Problems = append(v.Problems, err.Error())
		}
	}
	v.Print(r.Out, "systemd/"+s.Name, r.version, out.Took, r.Verbose, "info")
	return v.OK()
}
