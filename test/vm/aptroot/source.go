// SPDX-License-Identifier: Apache-2.0

package aptroot

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// FetchSource downloads the upstream part of a source package, as Debian has it, into dir,
// which is otherwise empty, and returns the archive's path. Debian's own part is not
// fetched: the archive drops it long before it drops the binary packages.
//
// The lists of source packages have a directory of their own, and are fetched by the first
// who needs them: hardly anybody does.
func (r *Root) FetchSource(ctx context.Context, name, version, dir string) (string, error) {
	r.fetching.Lock()
	defer r.fetching.Unlock()
	options, err := r.sourceOptions()
	if err != nil {
		return "", err
	}
	lists := filepath.Join(r.dir, "sources")
	stamp := filepath.Join(lists, "updated")
	update := func() error {
		// A suite that the mirror lacks is no error: the package may be in another one.
		if _, err := command(ctx, r.env, "apt-get", append(options, "update")...); err != nil {
			r.logf("some lists of sources could not be fetched: %v", err)
			return nil
		}
		return os.WriteFile(stamp, nil, 0o644)
	}
	if info, err := os.Stat(stamp); err != nil || time.Since(info.ModTime()) >= listsAge {
		if err := update(); err != nil {
			return "", err
		}
	}
	source := append(options, "source", "--download-only", "--tar-only", name+"="+version)
	if _, err := commandIn(ctx, dir, r.env, "apt-get", source...); err != nil {
		return "", err
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.orig.tar.*"))
	if err != nil {
		return "", err
	}
	if len(archives) != 1 {
		return "", fmt.Errorf("apt-get source %s=%s left %d archives", name, version, len(archives))
	}
	return archives[0], nil
}

// sourceOptions are apt-get's, and name the sources of the same suites.
func (r *Root) sourceOptions() ([]string, error) {
	binaries, err := os.ReadFile(filepath.Join(r.dir, "etc/apt/sources.list"))
	if err != nil {
		return nil, err
	}
	list := filepath.Join(r.dir, "etc/apt/sources.src.list")
	sources := bytes.ReplaceAll(binaries, []byte("deb ["), []byte("deb-src ["))
	lists := filepath.Join(r.dir, "sources/lists")
	if err := os.MkdirAll(filepath.Join(lists, "partial"), 0o755); err != nil {
		return nil, err
	}
	return []string{
		"-qq", "-o", "Dir::Etc::sourcelist=" + list, "-o", "Dir::State::lists=" + lists + "/",
		"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
	}, os.WriteFile(list, sources, 0o644)
}
