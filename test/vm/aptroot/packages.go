// SPDX-License-Identifier: Apache-2.0

package aptroot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Package is one entry of a list.
type Package struct {
	Name, Version, Architecture string
	// SHA256 is that of the file, in hex; apt checks it.
	SHA256 string
	// Size of the file, in bytes.
	Size int64
}

// Packages returns those of the lists whose names are wanted, of all suites.
func (r *Root) Packages(ctx context.Context, wanted func(name string) bool) ([]Package, error) {
	out, err := command(ctx, r.env, "apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Packages")
	if err != nil {
		return nil, err
	}
	var all []Package
	for _, list := range strings.Fields(out) {
		if _, err := os.Stat(list); errors.Is(err, os.ErrNotExist) {
			// It may be kept compressed, under another name that apt knows.
			if m, _ := filepath.Glob(list + ".*"); len(m) == 0 {
				continue
			}
		}
		text, err := command(ctx, r.env, "/usr/lib/apt/apt-helper", "cat-file", list)
		if err != nil {
			return nil, err
		}
		packages, err := parsePackages(strings.NewReader(text), wanted)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(list), err)
		}
		all = append(all, packages...)
	}
	return all, nil
}

// parsePackages reads a Packages file, see deb-control(5).
func parsePackages(r io.Reader, wanted func(name string) bool) ([]Package, error) {
	var all []Package
	var p Package
	flush := func() {
		if p.Name != "" && wanted(p.Name) {
			all = append(all, p)
		}
		p = Package{}
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if lines.Text() == "" {
			flush()
			continue
		}
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "Package":
			p.Name = value
		case "Version":
			p.Version = value
		case "Architecture":
			p.Architecture = value
		case "SHA256":
			p.SHA256 = value
		case "Size":
			p.Size, _ = strconv.ParseInt(value, 10, 64)
		}
	}
	flush()
	return all, lines.Err()
}

// Key names a package's content: for directories of a cache.
func (p Package) Key() string {
	hash := p.SHA256
	if len(hash) > 16 {
		hash = hash[:16]
	}
	return fmt.Sprintf("%s_%s_%s_%s", p.Name, strings.ReplaceAll(p.Version, ":", "%3a"), p.Architecture, hash)
}

// Fetch downloads a package into dir, which is otherwise empty, and returns the
// file's path.
func (r *Root) Fetch(ctx context.Context, p Package, dir string) (string, error) {
	r.fetching.Lock()
	defer r.fetching.Unlock()
	name := p.Name
	if p.Architecture != "all" {
		name += ":" + p.Architecture
	}
	name += "=" + p.Version
	if _, err := commandIn(ctx, dir, r.env, "apt-get", "-qq", "download", name); err != nil {
		// Point releases come and go.
		if err2 := r.Update(ctx); err2 != nil {
			return "", err
		}
		if _, err := commandIn(ctx, dir, r.env, "apt-get", "-qq", "download", name); err != nil {
			return "", err
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("apt-get download %s left %d files", name, len(files))
	}
	return files[0], nil
}

// Newest returns the package of the highest version of those that are wanted.
func Newest(packages []Package, wanted func(Package) bool) (best Package, found bool) {
	for _, p := range packages {
		if wanted(p) && (!found || CompareVersions(p.Version, best.Version) > 0) {
			best, found = p, true
		}
	}
	return best, found
}
