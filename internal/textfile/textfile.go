// SPDX-License-Identifier: Apache-2.0

// Package textfile writes a file for node_exporter's textfile collector in one step, into
// a directory that may be somebody else's.
//
// Whoever owns the directory can rename, remove and replace all that is in it at any time,
// and whoever owns a directory above can put another one in its place. So the directory is
// opened once, everything in it is named from there, and what is done to the file is done
// to its descriptor: prometheus.WriteToTextfile changes the mode by name, and would change
// that of the file behind a symbolic link.
package textfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrNotRegular is the error of a path where something else than a regular file is: what
// is written takes its place, be it a device.
var ErrNotRegular = errors.New("is there already, and no regular file")

// Check reports why nothing should be written at a path: [ErrNotRegular], or nil.
func Check(path string) error {
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("%q %w", path, ErrNotRegular)
	}
	return nil
}

// Write writes a file that everybody may read, and puts it at the path when all of it is
// written. Where that fails, the path has what it had, and nothing is left beside it.
func Write(path string, write func(io.Writer) error) (err error) {
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	name := filepath.Base(path)
	// The collector reads names that end in .prom.
	unfinished := name + "." + rand.Text()
	f, err := dir.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	defer func() {
		if err != nil {
			_ = dir.Remove(unfinished)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return dir.Rename(unfinished, name)
}
