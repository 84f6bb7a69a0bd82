// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// Module returns the path of a module, "overlay", of the kernel that [Archive.Stock] returns,
// unpacked, in the cache directory. Modules are in the kernel's package, or in one beside it.
func (a *Archive) Module(ctx context.Context, series string, f Flavour, arch, name string) (string, error) {
	p, ok := find(a.packages, series, f, arch)
	if !ok {
		return "", ErrAbsent
	}
	module := filepath.Join(a.cache, "stock", p.Key(), name+".ko")
	if _, err := os.Stat(module); err == nil {
		return module, nil
	}
	if release, ok := strings.CutPrefix(p.Name, "linux-binary-"); ok {
		version := p.Version
		p, ok = aptroot.Newest(a.packages, func(p aptroot.Package) bool {
			return p.Name == "linux-modules-"+release && p.Version == version && p.Architecture == arch
		})
		if !ok {
			return "", fmt.Errorf("linux-modules-%s %s: %w", release, version, ErrAbsent)
		}
	}
	tmp, err := os.MkdirTemp(a.cache, "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	deb, err := a.root.Fetch(ctx, p, tmp)
	if err != nil {
		return "", err
	}
	unpacked := filepath.Join(tmp, name)
	write := func(r io.Reader) error { return writeFile(unpacked, r) }
	packed := false
	is := func(file string) bool {
		packed = path.Base(file) == name+".ko.xz"
		return packed || path.Base(file) == name+".ko"
	}
	err = extract(ctx, deb, is, func(r io.Reader) error {
		if !packed {
			return write(r)
		}
		xz := exec.CommandContext(ctx, "xz", "-dc")
		xz.Stdin = r
		content, err := xz.Output()
		if err != nil {
			return fmt.Errorf("xz: %w", err)
		}
		return write(strings.NewReader(string(content)))
	})
	if err != nil {
		return "", fmt.Errorf("module %s of %s: %w", name, p.Name, err)
	}
	if err := os.MkdirAll(filepath.Dir(module), 0o755); err != nil {
		return "", err
	}
	return module, os.Rename(unpacked, module)
}
