// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/landlockd/landlockd/test/systemd/timing"
)

// rendered are the rules, alerts and inhibitions of the mixin, rendered as users
// do, with durations that a test can wait for.
func rendered(r *runner, dir string) error {
	tmp, err := os.MkdirTemp("", "landlockd-mixin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(r.ctx, "deploy/prometheus/render.sh", tmp, timing.Config())
	cmd.Dir = r.Module
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("render.sh: %w\n%s", err, text)
	}
	for _, name := range []string{"rules.yml", "alerts.yml", "alertmanager.yml"} {
		b, err := os.ReadFile(filepath.Join(tmp, "prometheus/rendered", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
