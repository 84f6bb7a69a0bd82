// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// deb is landlockd's package, as it is released.
func deb(r *runner, dir string) error {
	if r.Daemon != "" {
		return errors.New("a package is built from the tree, not from another landlockd")
	}
	tmp, err := os.MkdirTemp("", "landlockd-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(r.ctx, "deploy/packaging/release.sh", tmp)
	cmd.Dir = r.Module
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
