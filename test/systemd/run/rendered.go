// SPDX-License-Identifier: Apache-2.0

package run

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/landlockd/landlockd/test/systemd/timing"
)

// Rendered are the rules, alerts and inhibitions of the mixin, rendered as users
// do, with durations that a test can wait for.
func Rendered(ctx context.Context, o Options, dir string) error {
	tmp, err := os.MkdirTemp("", "landlockd-mixin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(ctx, "deploy/prometheus/render.sh", tmp, timing.Config())
	cmd.Dir = o.Module
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
