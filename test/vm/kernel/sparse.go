// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// Sparse returns the path of sparse(1), built from the newest source that Debian has in any
// suite: new kernels refuse the one of an older release.
func (a *Archive) Sparse(ctx context.Context, log io.Writer) (string, error) {
	packages, err := a.root.Packages(ctx, func(name string) bool { return name == "sparse" })
	if err != nil {
		return "", err
	}
	p, ok := aptroot.Newest(packages, func(aptroot.Package) bool { return true })
	if !ok {
		return "", fmt.Errorf("sparse: %w", ErrAbsent)
	}
	path := filepath.Join(a.cache, "sparse", p.Version, "sparse")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	tmp, err := os.MkdirTemp(a.cache, "sparse-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	archive, err := a.root.FetchSource(ctx, p.Name, p.Version, tmp)
	if err != nil {
		return "", err
	}
	b := builder{ctx: ctx, log: log}
	for _, step := range [][]string{
		{"tar", "-xf", archive, "--strip-components=1"},
		{"make", "-s", "sparse"},
	} {
		if err := b.run(tmp, nil, step[0], step[1:]...); err != nil {
			return "", fmt.Errorf("sparse %s: %w", p.Version, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.Rename(filepath.Join(tmp, "sparse"), path)
}
