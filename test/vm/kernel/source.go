// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// source is that of a kernel, as Debian has it: a package linux-source-SERIES or, of a series
// that Debian no longer builds, the upstream archive of the source package linux.
type source struct {
	version string
	// deb is the package, if there is one.
	deb *aptroot.Package
}

// newestSource returns the newest source of a series: where there is no package of it, that
// of the newest kernel.
func (a *Archive) newestSource(series string) (source, error) {
	if p, ok := findSource(a.packages, series); ok {
		return source{p.Version, &p}, nil
	}
	if p, ok := find(a.packages, series, Cloud, "amd64"); ok {
		return source{p.Version, nil}, nil
	}
	return source{}, fmt.Errorf("source of Linux %s: %w", series, ErrAbsent)
}

// sourceOf returns the source that Debian's kernel of a version was built from.
func (a *Archive) sourceOf(series, version string) source {
	p, ok := aptroot.Newest(a.packages, func(p aptroot.Package) bool {
		return p.Name == "linux-source-"+series && p.Version == version
	})
	if !ok {
		return source{version, nil}
	}
	return source{version, &p}
}

// name is that of the package that has it.
func (s source) name() string {
	if s.deb != nil {
		return s.deb.Name
	}
	return "linux"
}

// key names its content.
func (s source) key() string {
	if s.deb != nil {
		return s.deb.Key()
	}
	return "linux_" + s.version
}

// unpack unpacks a source into an empty directory, which it makes. What tar is given beside
// selects parts of it.
func (a *Archive) unpack(ctx context.Context, s source, dir string, b *builder, options ...string) error {
	tmp, err := os.MkdirTemp(a.cache, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	untar := func(r io.Reader) error {
		return b.run(dir, r, "tar", append([]string{"-xJf", "-", "--strip-components=1"}, options...)...)
	}
	if s.deb != nil {
		deb, err := a.root.Fetch(ctx, *s.deb, tmp)
		if err != nil {
			return err
		}
		return extract(ctx, deb, isSourceArchive, untar)
	}
	archive, err := a.root.FetchSource(ctx, s.name(), s.version, tmp)
	if err != nil {
		return err
	}
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	return untar(f)
}

// Source unpacks the whole of Debian's newest source of a series into a directory that is
// empty or not there, and returns its version; or an error that wraps [ErrAbsent].
func (a *Archive) Source(ctx context.Context, series, dir string, log io.Writer) (string, error) {
	s, err := a.newestSource(series)
	if err != nil {
		return "", err
	}
	return s.version, a.unpack(ctx, s, dir, &builder{ctx: ctx, log: log})
}
