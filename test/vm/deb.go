// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Deb makes landlockd's package for an architecture, as it is released, and puts it at a path.
func Deb(ctx context.Context, module, arch, to string) error {
	tmp, err := os.MkdirTemp(filepath.Dir(to), "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	arches := arch
	if arch != runtime.GOARCH {
		arches += " " + runtime.GOARCH // the manual page comes from a program that runs here
	}
	cmd := exec.CommandContext(ctx, "deploy/packaging/release.sh", tmp)
	cmd.Dir = module
	cmd.Env = append(cmd.Environ(), "ARCHES="+arches)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("release.sh: %w\n%s", err, text)
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*_"+arch+".deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("release.sh made %q: %w", debs, err)
	}
	return os.Rename(debs[0], to)
}
