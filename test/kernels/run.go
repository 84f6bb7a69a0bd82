// SPDX-License-Identifier: Apache-2.0

// Package kernels boots guests with many kernels.
//
// What they state of themselves is kept in testdata/stated.json, by test-kernels -record, and
// docs/kernels.md is made from that and from [Matrix].
package kernels

//go:generate go test -run ^TestPage$ -update .

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/kernel"
	"github.com/landlockd/landlockd/test/vm/protocol"
)

// Options say which guests are booted, and how many at a time.
type Options struct {
	// Guests and Boots select by name.
	Guests, Boots vm.Pattern
	Jobs          int
	// Record writes what guests state into the file of facts, in place of comparing.
	Record bool
	// Selftests is the path of the page that gets what the kernel's own tests came to; or
	// empty.
	Selftests string
}

// List prints every boot, a line each.
func List(w io.Writer) {
	for _, g := range Matrix() {
		for _, b := range slices.Concat(g.Boots, g.Long) {
			fmt.Fprintf(w, "%s/%s\t%s\t%s\n", g.Name(), b.Name, strings.Join(b.Checks, ","), b.CommandLine)
		}
	}
}

// Run runs the matrix. The error is about the run itself; what failed in it is
// in the report.
func (o *Options) Run(ctx context.Context, report *vm.Report) error {
	tmp, err := os.MkdirTemp("", "landlockd-kernels-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	archive, err := kernel.Open(ctx, report.Cache, report.Out)
	if err != nil {
		return err
	}
	r := &runner{Options: *o, Report: report, ctx: ctx, tmp: tmp, kernels: archive, initramfs: make(map[string]string)}
	if r.stated, err = readStated(report.Module); err != nil {
		return err
	}
	r.slots = make(chan struct{}, max(o.Jobs, 1))
	for _, g := range Matrix() {
		switch {
		case !o.Guests.Matches(g.Name()):
		case g.Patched:
			// Its build takes minutes, and of the processors what guests leave.
			r.builds.Go(func() { r.guest(g) })
		default:
			r.guest(g)
		}
	}
	r.builds.Wait()
	r.boots.Wait()
	if o.Record && ctx.Err() == nil {
		return r.stated.write()
	}
	return ctx.Err()
}

// runner is one run of the matrix.
type runner struct {
	Options
	*vm.Report
	ctx     context.Context
	tmp     string
	kernels *kernel.Archive
	stated  *stated
	slots   chan struct{}
	builds  sync.WaitGroup // which begin boots
	boots   sync.WaitGroup

	page      sync.Mutex        // guards the page of Selftests
	archives  sync.Mutex        // guards initramfs
	initramfs map[string]string // by architecture and what else is in it
}

// guest gets a kernel and starts its boots. It returns before they end: the
// next kernel is fetched while this one's guests run.
func (r *runner) guest(g Guest) {
	all, boots := g.Boots, []Boot(nil)
	if r.Boots.String() != "" {
		all = slices.Concat(all, g.Long)
	}
	for _, b := range all {
		if !r.Boots.Matches(b.Name) {
			continue
		}
		if r.Checks != nil {
			b.Checks = r.Checks
		}
		boots = append(boots, b)
	}
	if len(boots) == 0 || r.ctx.Err() != nil {
		return
	}
	began := time.Now()
	img, err := r.kernel(g)
	if errors.Is(err, kernel.ErrAbsent) && !g.Mandatory {
		r.Skipped(g.Name(), err)
		return
	}
	archives := make([]string, len(boots))
	for i, b := range boots {
		if err == nil {
			archives[i], err = r.archive(g, img, b.Checks)
		}
	}
	if err != nil {
		r.Failed(g.Name(), err)
		return
	}
	if took := time.Since(began); took > time.Second {
		r.Printf("got   %-14s %s in %s\n", g.Name(), img.Version, took.Round(time.Second))
	}
	for i, b := range boots {
		r.slots <- struct{}{}
		r.boots.Go(func() {
			defer func() { <-r.slots }()
			name := g.Name() + "/" + b.Name
			r.Boot(r.ctx, vm.Boot{
				Machine: vm.Machine{Arch: g.Arch, Kernel: img.Path, Initrd: archives[i], CommandLine: b.CommandLine + leftOut},
				Guest:   g.Name(), Name: name, Version: img.Version, Checks: b.Checks, Shown: shown,
				Judge: func(lines []protocol.Line) []string {
					if r.Selftests != "" && b.Name == selftestsBoot {
						return r.keepSelftests(g.Series, img.Version, lines)
					}
					if r.Record {
						r.stated.record(name, img.Version, lines)
						return nil
					}
					return r.stated.differ(name, lines)
				},
			})
		})
	}
}

// kernel gets the kernel of a guest.
func (r *runner) kernel(g Guest) (kernel.Image, error) {
	if g.Arch == "s390x" {
		if err := vm.Install(r.ctx, r.Out, toolsS390x); err != nil {
			return kernel.Image{}, err
		}
		archive, err := kernel.Open(r.ctx, r.Cache, r.Out, g.Arch)
		if err != nil {
			return kernel.Image{}, err
		}
		return archive.Stock(r.ctx, g.Series, g.Flavour, g.Arch)
	}
	if !g.Patched {
		return r.kernels.Stock(r.ctx, g.Series, cmp.Or(g.Flavour, kernel.Cloud), g.Arch)
	}
	patches := filepath.Join(r.Module, "deploy/kernel", g.Series)
	return r.kernels.Patched(r.ctx, g.Series, patches, g.Daemon)
}

// archive returns the initramfs of a guest that has what checks need.
func (r *runner) archive(g Guest, img kernel.Image, checks []string) (string, error) {
	r.archives.Lock()
	defer r.archives.Unlock()
	path, err := r.once(g.Arch, func() (string, error) { return initramfs(r.ctx, r.Module, r.tmp, g.Arch) })
	for _, c := range checks {
		name, _, _ := strings.Cut(c, ":")
		add := further[name]
		if name == "attrselftests" {
			// Each kernel has its own.
			name, add = name+"-"+g.Name(), addFile(img.AttrTest)
		}
		if name == kernelSelftests {
			name, add = name+"-"+img.Version, r.selftests(g.Series, img.Version)
		}
		if err == nil && add != nil {
			base := path
			path, err = r.once(filepath.Base(base)+"-"+name, func() (string, error) {
				return initramfsWith(r.ctx, base, name, add, r.Module, r.tmp, g.Arch)
			})
		}
	}
	return path, err
}

// once returns the archive of a name, and makes it if there is none.
func (r *runner) once(name string, archive func() (string, error)) (string, error) {
	if path, ok := r.initramfs[name]; ok {
		return path, nil
	}
	path, err := archive()
	if err == nil {
		r.initramfs[name] = path
	}
	return path, err
}

// shown are the facts that are always printed.
var shown = []string{"offset", "info", "truth", "churn", "runs", "same", "both", "ids", "id_steps", "programs", "attrselftests",
	"selftests", "selftests_skipped", "selftests_failed", "selftests_unsteady", "stays"}
