// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/cpio"
)

// initramfs builds the guest's program and what else it needs for one
// architecture, and returns the path of an archive with them.
func initramfs(ctx context.Context, module, dir, arch string) (string, error) {
	init := filepath.Join(dir, "init-"+arch)
	if err := vm.GoBuild(ctx, module, arch, init, "./test/kernels/guest"); err != nil {
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
	err = addAll(ctx, w, payloads, module, dir, arch)
	return archive, errors.Join(err, w.Close(), buffered.Flush(), f.Close())
}

// addAll has payloads add what they have.
func addAll(
	ctx context.Context, w *cpio.Writer, all map[string]payload, module, dir, arch string,
) error {
	for name, add := range all {
		own := filepath.Join(dir, name+"-"+arch)
		err := os.Mkdir(own, 0o755)
		if err == nil {
			err = add(ctx, w, module, own, arch)
		}
		if err != nil {
			return fmt.Errorf("%s for %s: %w", name, arch, err)
		}
	}
	return nil
}

// initramfsWith returns the path of an archive that is one that there is, with what a
// check needs beside, under a name: the kernel unpacks archives that follow each other.
func initramfsWith(
	ctx context.Context, archive, name string, add payload, module, dir, arch string,
) (string, error) {
	content, err := os.ReadFile(archive)
	if err != nil {
		return "", err
	}
	b := bytes.NewBuffer(content)
	w := cpio.NewWriter(b)
	err = addAll(ctx, w, map[string]payload{name: add}, module, dir, arch)
	if err := errors.Join(err, w.Close()); err != nil {
		return "", err
	}
	with := archive + "-" + name
	return with, os.WriteFile(with, b.Bytes(), 0o644)
}
