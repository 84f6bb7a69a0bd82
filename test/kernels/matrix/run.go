// SPDX-License-Identifier: Apache-2.0

// Package matrix boots guests with many kernels and judges what they say.
package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/landlockd/landlockd/test/kernels/qemu"
	"github.com/landlockd/landlockd/test/kernels/verdict"
)

// Options say what to run and where.
type Options struct {
	// Module is the root of this Go module.
	Module string
	// Cache holds kernels from run to run.
	Cache string
	// Logs gets the console of every boot that failed.
	Logs string
	// Guests and Boots select by name; nil means all.
	Guests, Boots *regexp.Regexp
	// Checks are run in place of each boot's own; nil means its own.
	Checks []string
	// Jobs is how many guests run at a time.
	Jobs int
	// Timeout bounds one boot.
	Timeout time.Duration
	// Verbose prints every fact and log line.
	Verbose bool
	Out     io.Writer
}

// Run runs the matrix. The error is about the run itself; what failed in it is
// in the summary.
func Run(ctx context.Context, o Options) (*Summary, error) {
	for _, dir := range []string{o.Cache, o.Logs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	tmp, err := os.MkdirTemp("", "landlockd-kernels-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	imgs, err := openImages(ctx, o.Cache, filepath.Join(o.Module, "deploy", "kernel"), o.Out)
	if err != nil {
		return nil, err
	}
	r := &runner{Options: o, ctx: ctx, tmp: tmp, images: imgs, initramfs: make(map[string]string)}
	r.slots = make(chan struct{}, max(o.Jobs, 1))
	for _, g := range Matrix() {
		switch {
		case o.Guests != nil && !o.Guests.MatchString(g.Name()):
		case g.Patched:
			// Its build takes minutes, and of the processors what guests leave.
			r.builds.Go(func() { r.guest(g) })
		default:
			r.guest(g)
		}
	}
	r.builds.Wait()
	r.boots.Wait()
	return &r.summary, ctx.Err()
}

// runner is one run of the matrix.
type runner struct {
	Options
	ctx    context.Context
	tmp    string
	images *images
	slots  chan struct{}
	builds sync.WaitGroup // which begin boots
	boots  sync.WaitGroup

	archives  sync.Mutex        // guards initramfs
	initramfs map[string]string // by architecture and what else is in it

	mu      sync.Mutex // guards what follows, and Out
	summary Summary
}

// guest gets a kernel and starts its boots. It returns before they end: the
// next kernel is fetched while this one's guests run.
func (r *runner) guest(g Guest) {
	var boots []Boot
	for _, b := range g.Boots {
		if r.Boots != nil && !r.Boots.MatchString(b.Name) {
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
	img, err := r.images.get(r.ctx, g)
	if errors.Is(err, errAbsent) && !g.Mandatory {
		r.skipped(g, err)
		return
	}
	archives := make([]string, len(boots))
	for i, b := range boots {
		if err == nil {
			archives[i], err = r.archive(g.Arch, b.Checks)
		}
	}
	if err != nil {
		r.failed(g, err)
		return
	}
	if took := time.Since(began); took > time.Second {
		r.printf("got   %-14s %s in %s\n", g.Name(), img.version, took.Round(time.Second))
	}
	r.ran(g)
	for i, b := range boots {
		r.slots <- struct{}{}
		r.boots.Go(func() {
			defer func() { <-r.slots }()
			r.boot(g, img, archives[i], b)
		})
	}
}

// archive returns the initramfs of an architecture that has what checks need.
func (r *runner) archive(arch string, checks []string) (string, error) {
	r.archives.Lock()
	defer r.archives.Unlock()
	path, err := r.once(arch, func() (string, error) { return initramfs(r.ctx, r.Module, r.tmp, arch) })
	for _, c := range checks {
		name, _, _ := strings.Cut(c, ":")
		if err == nil && further[name] != nil {
			base := path
			path, err = r.once(filepath.Base(base)+"-"+name, func() (string, error) {
				return initramfsWith(r.ctx, base, name, r.Module, r.tmp, arch)
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

// boot runs one boot and judges it.
func (r *runner) boot(g Guest, img image, archive string, b Boot) {
	checks := append(append([]string(nil), b.Checks...), "kernel")
	m := qemu.Machine{
		Arch: g.Arch, Kernel: img.path, Initrd: archive,
		CommandLine: verdict.CommandLine(b.CommandLine+leftOut, checks), Timeout: r.Timeout,
	}
	o, err := m.Run(r.ctx)
	if r.ctx.Err() != nil {
		return // the run is cancelled: this says nothing of the kernel
	}
	v := verdict.Judge(o, err, checks)
	if !v.OK() {
		v.Console = filepath.Join(r.Logs, g.Name()+"-"+b.Name+".console.log")
		if err := os.WriteFile(v.Console, o.Console, 0o644); err != nil {
			v.Problems = append(v.Problems, err.Error())
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.add(g, v)
	v.Print(r.Out, fmt.Sprintf("%s/%s", g.Name(), b.Name), img.version, o.Took, r.Verbose, shown...)
}

func (r *runner) printf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.Out, format, args...)
}

// shown are the facts that are always printed.
var shown = []string{"offset", "info", "truth", "churn", "same", "both", "ids", "id_steps", "programs"}
