// SPDX-License-Identifier: Apache-2.0

// Package kernel gets the kernels that guests boot: Debian's own, by their series,
// and such as are built from Debian's sources with our patches (deploy/kernel). What
// was fetched or built once stays in a cache directory.
package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// ErrAbsent is the error for a kernel that the mirror lacks.
var ErrAbsent = errors.New("not on the mirror")

// Image is a kernel that can be booted.
type Image struct {
	Path string
	// Version is that of the package it comes from.
	Version string
	// AttrTest is the path of the series' own tests, of a patched kernel.
	AttrTest string
}

// Archive gets kernels, from the cache or the mirror.
type Archive struct {
	root     *aptroot.Root
	packages []aptroot.Package
	cache    string
}

// Open makes the cache directory if need be, and fetches lists of packages unless
// there are young ones: those of further architectures, too, which takes longer. The log gets lines
// about what could not be fetched.
func Open(ctx context.Context, cache string, log io.Writer, further ...string) (*Archive, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	logf := func(format string, args ...any) { fmt.Fprintf(log, format+"\n", args...) }
	root, err := aptroot.Open(ctx, filepath.Join(cache, strings.Join(append([]string{"apt"}, further...), "-")), logf, further...)
	if err != nil {
		return nil, err
	}
	packages, err := root.Packages(ctx, isKernelPackage)
	if err != nil {
		return nil, err
	}
	return &Archive{root: root, packages: packages, cache: cache}, nil
}

// Flavour is Debian's name of how a kernel is configured.
type Flavour string

// Cloud is for virtual machines, RT is preemptible almost everywhere (PREEMPT_RT), Generic is
// what Debian installs on other machines, and has no name of its own in those of packages.
const (
	Cloud   Flavour = "cloud"
	RT      Flavour = "rt"
	Generic Flavour = "generic"
)

// Stock returns Debian's newest kernel of a series such as "6.12", or ErrAbsent. It
// needs no modules to boot.
func (a *Archive) Stock(ctx context.Context, series string, f Flavour, arch string) (Image, error) {
	p, ok := find(a.packages, series, f, arch)
	if !ok {
		return Image{}, ErrAbsent
	}
	path, err := a.stock(ctx, p)
	return Image{Path: path, Version: p.Version}, err
}

// Patched returns a kernel for amd64, built from Debian's newest source of a series
// with the patches of a directory; or an error that wraps ErrAbsent. With daemon it is one
// that landlockd itself runs on, with task iterators. What the build said is kept in
// the cache directory.
func (a *Archive) Patched(ctx context.Context, series, patches string, daemon bool) (Image, error) {
	source, err := a.newestSource(series)
	if err != nil {
		return Image{}, err
	}
	log, err := os.Create(filepath.Join(a.cache, "build-"+series+"-patched.log"))
	if err != nil {
		return Image{}, err
	}
	defer log.Close()
	k := patchedKernel{source: source, daemon: daemon}
	if k.series, err = readSeries(patches); err != nil {
		return Image{}, err
	}
	image, attrTest := k.products()
	path, err := a.made(ctx, k, image, log)
	if err != nil {
		return Image{}, err
	}
	test, err := a.made(ctx, k, attrTest, log)
	return Image{Path: path, Version: source.version, AttrTest: test}, err
}
