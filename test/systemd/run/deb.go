// SPDX-License-Identifier: Apache-2.0

package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Deb is landlockd's package, as it is released.
func Deb(ctx context.Context, o Options, dir string) error {
	if o.Daemon != "" {
		return errors.New("a package is built from the tree, not from another landlockd")
	}
	tmp, err := os.MkdirTemp("", "landlockd-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(ctx, "deploy/packaging/release.sh", tmp)
	cmd.Dir = o.Module
	cmd.Env = append(cmd.Environ(), "ARCHES=amd64")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("release.sh: %w\n%s", err, text)
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("release.sh made %q: %w", debs, err)
	}
	return os.Rename(debs[0], filepath.Join(dir, "landlockd.deb"))
}
