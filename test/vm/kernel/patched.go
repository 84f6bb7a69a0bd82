// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

//go:embed kernel.config
var baseConfig string

//go:embed daemon.config
var daemonConfig string

// recipe grows with changes of this package that change an image.
const recipe = "5"

// patchedKernel is what to build.
type patchedKernel struct {
	source aptroot.Package
	// patch is the path of a patch for it.
	patch string
	// daemon: landlockd itself runs on it, with task iterators.
	daemon bool
}

func (k patchedKernel) config() string {
	if k.daemon {
		return baseConfig + daemonConfig
	}
	return baseConfig
}

// patched returns the path of the kernel in the cache directory, and builds it
// first if need be. Progress goes to log.
func (a *Archive) patched(ctx context.Context, k patchedKernel, log io.Writer) (string, error) {
	patch, err := os.ReadFile(k.patch)
	if err != nil {
		return "", err
	}
	from := k.source.Name + " " + k.source.Version
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s", recipe, k.source.Key(), k.config(), patch))
	dir := filepath.Join(a.cache, "patched", fmt.Sprintf("%s_%s_%s", k.source.Name, k.source.Version, hex.EncodeToString(sum[:8])))
	image := filepath.Join(dir, "vmlinux")
	if _, err := os.Stat(image); err == nil {
		return image, nil
	}
	tmp, err := os.MkdirTemp(a.cache, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	b := builder{ctx: ctx, log: log, patch: patch, config: k.config()}
	if err := b.unpack(a.root, k.source, tmp); err != nil {
		return "", fmt.Errorf("unpack %s: %w", from, err)
	}
	if err := b.applyPatch(); err != nil {
		return "", fmt.Errorf("apply %s to %s: %w", filepath.Base(k.patch), from, err)
	}
	built, err := b.build(tmp)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", from, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return image, os.Rename(built, image)
}

// builder is one build.
type builder struct {
	ctx   context.Context
	log   io.Writer
	patch []byte
	// config are the options of the kernel to boot.
	config string
	// tree is the kernel's source.
	tree string
	// tiny is the configuration of the smallest kernel.
	tiny []byte
}

// left are the parts of a source that are never compiled, and half of its bytes. Their
// Kconfig and Makefiles have to be there.
var left = []string{
	"--exclude=*/drivers/gpu/*.[ch]", "--exclude=*/drivers/media/*.[ch]", "--exclude=*/drivers/net/*/*.[ch]", "--exclude=*/drivers/scsi/*.[ch]",
	"--exclude=*/drivers/staging/*.[ch]", "--exclude=*/sound/*.[ch]", "--exclude=*/Documentation/*/*", "--exclude=*/tools/testing/*",
}

// unpack sets the tree.
func (b *builder) unpack(root *aptroot.Root, source aptroot.Package, dir string) error {
	deb, err := root.Fetch(b.ctx, source, dir)
	if err != nil {
		return err
	}
	isArchive := func(name string) bool {
		return strings.HasPrefix(name, "usr/src/linux-source-") && strings.HasSuffix(name, ".tar.xz")
	}
	err = extract(b.ctx, deb, isArchive, func(r io.Reader) error {
		return b.run(dir, r, "tar", append([]string{"-xJf", "-"}, left...)...)
	})
	if err != nil {
		return err
	}
	os.Remove(deb)
	trees, err := filepath.Glob(filepath.Join(dir, "linux-source-*"))
	if err != nil {
		return err
	}
	if len(trees) != 1 {
		return fmt.Errorf("the archive has %d trees", len(trees))
	}
	b.tree = trees[0]
	return nil
}

// applyPatch fails on fuzz: a patch that fits only roughly was not made for this
// source.
func (b *builder) applyPatch() error {
	return b.run(b.tree, bytes.NewReader(b.patch), "patch", "-p1", "--fuzz=0", "--forward", "--batch", "--no-backup-if-mismatch", "--reject-file=-")
}
