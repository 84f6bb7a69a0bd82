// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/test/kernels/aptroot"
	"github.com/landlockd/landlockd/test/kernels/patched"
	"github.com/landlockd/landlockd/test/kernels/stock"
)

// errAbsent: the mirror has no such kernel.
var errAbsent = errors.New("not on the mirror")

// image is a kernel that can be booted.
type image struct {
	path string
	// version is that of the package it comes from.
	version string
}

// images gets kernels, from the cache or the mirror.
type images struct {
	root     *aptroot.Root
	packages []aptroot.Package
	cache    string
	// patches is the directory of our patches.
	patches string
	log     io.Writer
}

func openImages(ctx context.Context, cache, patches string, log io.Writer) (*images, error) {
	logf := func(format string, args ...any) { fmt.Fprintf(log, format+"\n", args...) }
	root, err := aptroot.Open(ctx, filepath.Join(cache, "apt"), logf)
	if err != nil {
		return nil, err
	}
	packages, err := root.Packages(ctx)
	if err != nil {
		return nil, err
	}
	return &images{root: root, packages: packages, cache: cache, patches: patches, log: log}, nil
}

// get returns the kernel of a guest, or errAbsent.
func (i *images) get(ctx context.Context, g Guest) (image, error) {
	if g.Patched {
		p, ok := stock.FindSource(i.packages, g.Series)
		if !ok {
			return image{}, fmt.Errorf("linux-source-%s: %w", g.Series, errAbsent)
		}
		build, err := os.OpenFile(filepath.Join(i.cache, "build-"+g.Name()+".log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
		if err != nil {
			return image{}, err
		}
		defer build.Close()
		kernel := patched.Kernel{
			Source: p, Daemon: g.Daemon,
			Patch: filepath.Join(i.patches, "linux-"+g.Series+"-landlock-attr-domain.patch"),
		}
		path, err := kernel.Image(ctx, i.root, i.cache, build)
		return image{path, p.Version}, err
	}
	p, ok := stock.Find(i.packages, g.Series, g.Arch)
	if !ok {
		return image{}, errAbsent
	}
	path, err := stock.Image(ctx, i.root, p, i.cache)
	return image{path, p.Version}, err
}
