// SPDX-License-Identifier: Apache-2.0

// Package systemd boots Debian guests with systemd.
package systemd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/landlockd/landlockd/test/systemd/image"
	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/aptroot"
	"github.com/landlockd/landlockd/test/vm/kernel"
)

// Tools are what guests need beside [vm.Tools], a kernel and an image.
var Tools = map[string]string{"/sbin/debugfs": "e2fsprogs"}

// Options say what is booted.
type Options struct {
	// Scenarios selects by name.
	Scenarios vm.Pattern
	// Series is the kernel's, such as "6.12".
	Series string
	// Daemon is the path of a landlockd; empty is one built from the module.
	Daemon string
	// Jobs is how many guests run at a time.
	Jobs int
}

// List prints every scenario, a line each.
func List(w io.Writer) {
	for _, s := range Scenarios() {
		fmt.Fprintf(w, "%s\t%s\n", s.Name, strings.Join(s.Checks, ","))
	}
}

// Run runs the scenarios, each as soon as it is made and there is room for its guest. The error
// is about the run itself; what failed in it is in the report.
func (o *Options) Run(ctx context.Context, report *vm.Report) error {
	cache, err := vm.Cache("kernels")
	if err != nil {
		return err
	}
	kernels, err := kernel.Open(ctx, cache, report.Out)
	if err != nil {
		return err
	}
	r := runner{Options: *o, Report: report, ctx: ctx, slots: make(chan struct{}, max(o.Jobs, 1))}
	if r.kernel, err = kernels.Stock(ctx, o.Series, kernel.Cloud, "amd64"); err != nil {
		return fmt.Errorf("a kernel of series %s: %w", o.Series, err)
	}
	if r.list, r.release, err = aptroot.MachineList(ctx); err != nil {
		return err
	}
	for _, s := range Scenarios() {
		if !o.Scenarios.Matches(s.Name) || s.Apart && o.Scenarios.String() == "" {
			continue
		}
		if r.Checks != nil {
			s.Checks = r.Checks
		}
		if err = r.scenario(s); err != nil {
			err = fmt.Errorf("%s: %w", s.Name, err)
			break
		}
	}
	r.boots.Wait()
	return cmp.Or(err, ctx.Err())
}

// runner is one run.
type runner struct {
	Options
	*vm.Report
	ctx    context.Context
	kernel kernel.Image
	// list and release are where the machine has Debian from.
	list, release string
	slots         chan struct{}
	boots         sync.WaitGroup
}

// scenario makes what a guest needs, and boots it when there is room. It returns before that
// ends: the next one is made meanwhile. A check that could not be made has failed: the guest is
// ours to choose.
func (r *runner) scenario(s Scenario) error {
	base, err := r.image(s)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "landlockd-systemd-")
	if err != nil {
		return err
	}
	if err := r.make(s, tmp); err != nil {
		os.RemoveAll(tmp)
		return err
	}
	r.slots <- struct{}{}
	r.boots.Go(func() {
		defer func() { <-r.slots }()
		defer os.RemoveAll(tmp)
		again, err := r.boot(s, base, tmp, false)
		if err == nil && again {
			_, err = r.boot(s, base, tmp, true)
		}
		if err != nil && r.ctx.Err() == nil {
			r.Failed(s.Name, err)
		}
	})
	return nil
}

// make puts what the guest finds in /payload below tmp.
func (r *runner) make(s Scenario, tmp string) error {
	files := filepath.Join(tmp, "payload")
	if err := os.Mkdir(files, 0o755); err != nil {
		return err
	}
	for _, add := range append([]payload{guest}, s.payload...) {
		if err := add(r, files); err != nil {
			return err
		}
	}
	return nil
}

// boot boots a guest from a copy of an image in tmp, with the files of its payload, and reports
// whether it is to be booted again.
func (r *runner) boot(s Scenario, base, tmp string, last bool) (again bool, err error) {
	root := filepath.Join(tmp, "root")
	if text, err := exec.CommandContext(r.ctx, "cp", "--sparse=always", "--reflink=auto", base, root).CombinedOutput(); err != nil {
		return false, fmt.Errorf("copy %s: %w: %s", base, err, text)
	}
	if err := put(r.ctx, filepath.Join(tmp, "payload"), root); err != nil {
		return false, err
	}
	again = r.Boot(r.ctx, vm.Boot{
		Machine: vm.Machine{
			Arch: "amd64", Kernel: r.kernel.Path, Disk: root,
			// norandmaps: QEMU translates a program once for each address that it is at.
			// watchdog_thresh, in seconds: a busy host lets a processor of the guest wait for half
			// a minute, which the guest takes for a lockup after twice 10 s.
			CommandLine: "root=/dev/nvme0n1 rootfstype=ext4 rootwait rw norandmaps watchdog_thresh=60 systemd.show_status=0",
		},
		Guest: s.Name, Name: "systemd/" + s.Name, Version: r.kernel.Version, Checks: s.Checks, Shown: []string{"info"},
		Strict: true, Last: last,
	})
	return again, r.ctx.Err()
}

// image returns the root filesystem of a scenario.
func (r *runner) image(s Scenario) (string, error) {
	recipe := image.Recipe{Release: r.release, Packages: s.Packages, Size: s.Size}
	list := r.list
	if s.Release != "" {
		var err error
		if list, err = aptroot.SuiteList(r.ctx, s.Release); err != nil {
			return "", err
		}
		recipe.Release = s.Release
	}
	if err := vm.Install(r.ctx, r.Out, image.Tools); err != nil {
		return "", err
	}
	began := time.Now()
	path, err := image.Build(r.ctx, recipe, list, r.Cache)
	if took := time.Since(began); err == nil && took > time.Second {
		r.Printf("made  %s in %s\n", filepath.Base(path), took.Round(time.Second))
	}
	return path, err
}
