// SPDX-License-Identifier: Apache-2.0

package image

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keep is how long an image that nobody uses stays in the cache.
const keep = 30 * 24 * time.Hour

// use marks an image as used now.
func use(path string, now time.Time) error { return os.Chtimes(path, now, now) }

// prune removes the images of a cache directory that were not used for a while, with
// what their builds said. Each recipe makes another image, and recipes change.
func prune(cache string, now time.Time) error {
	images, err := filepath.Glob(filepath.Join(cache, "*.ext2"))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range images {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // another run was faster
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if now.Sub(info.ModTime()) <= keep {
			continue
		}
		for _, old := range []string{path, strings.TrimSuffix(path, ".ext2") + ".log"} {
			if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
