// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/test/kernels/cpio"
	"github.com/landlockd/landlockd/test/kernels/machine"
)

// initramfs builds the guest's program and what else it needs for one
// architecture, and returns the path of an archive with them.
func initramfs(ctx context.Context, module, dir, arch string) (string, error) {
	init := filepath.Join(dir, "init-"+arch)
	if err := machine.GoBuild(ctx, module, arch, init, "./test/kernels/guest"); err != nil {
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
