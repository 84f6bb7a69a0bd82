// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/landlockd/landlockd/test/kernels/cpio"
)

// initramfs builds the guest's program and what else it needs for one
// architecture, and returns the path of an archive with them.
func initramfs(ctx context.Context, module, dir, arch string) (string, error) {
	init := filepath.Join(dir, "init-"+arch)
	if err := goBuild(ctx, module, arch, init, "./test/kernels/guest"); err != nil {
		return "", err
	}
	content, err := os.ReadFile(init)
	if err != nil {
		return "", err
	}
	archive := filepath.Join(dir, "initramfs-"+arch)
	f, err := os.Create(archive)
	if err != nil {
		return "", err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := cpio.NewWriter(buffered)
	for _, d := range []string{"dev", "proc", "sys", "run", "tmp"} {
		w.Dir(d, 0o755)
	}
	w.CharDevice("dev/console", 0o600, 5, 1)
	w.CharDevice("dev/null", 0o666, 1, 3)
	w.File(0o755, content, "init")
	for name, add := range payloads {
		own := filepath.Join(dir, name+"-"+arch)
		err := os.Mkdir(own, 0o755)
		if err == nil {
			err = add(ctx, w, module, own, arch)
		}
		if err != nil {
			f.Close()
			return "", fmt.Errorf("%s for %s: %w", name, arch, err)
		}
	}
	return archive, errors.Join(w.Close(), buffered.Flush(), f.Close())
}

func goBuild(ctx context.Context, module, arch, out, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Dir = module
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s for %s: %w\n%s", pkg, arch, err, text)
	}
	return nil
}
