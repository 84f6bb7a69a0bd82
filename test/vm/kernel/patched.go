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
)

//go:embed kernel.config
var baseConfig string

//go:embed daemon.config
var daemonConfig string

// recipe grows with changes of this package that change an image.
const recipe = "6"

// patchedKernel is what to build.
type patchedKernel struct {
	source source
	series []patch
	// daemon: landlockd itself runs on it, with task iterators.
	daemon bool
}

func (k patchedKernel) config() string {
	if k.daemon {
		return baseConfig + daemonConfig
	}
	return baseConfig
}

// product is a file that is built from a source with patches, and kept.
type product struct {
	name string
	// patches are those that it depends on: the others are not applied.
	patches []patch
	// settings is what else it depends on.
	settings string
	build    func(b *builder, dir string) (string, error)
}

// products returns the kernel's image and the tests that the series has of the attribute.
func (k patchedKernel) products() (image, attrTest product) {
	// Where a patch has to change something to change the image. One that changes both is
	// whole, or does not apply.
	code := []string{"fs", "include", "security"}
	image = product{"vmlinux", only(k.series, code...), k.config(), (*builder).build}
	attrTest = product{AttrTest, only(k.series, append(code, selftests)...), "", (*builder).buildAttrTest}
	return image, attrTest
}

// made returns the path of a product in the cache directory, and builds it first if need be.
// Progress goes to log.
func (a *Archive) made(ctx context.Context, k patchedKernel, p product, log io.Writer) (string, error) {
	from := k.source.name() + " " + k.source.version
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%s\x00%s\x00%s", recipe, k.source.key(), p.name, p.settings)
	for _, patch := range p.patches {
		fmt.Fprintf(sum, "\x00%s", patch.diff)
	}
	dir := filepath.Join(a.cache, "patched", fmt.Sprintf("%s_%s_%s", k.source.name(), k.source.version, hex.EncodeToString(sum.Sum(nil)[:8])))
	path := filepath.Join(dir, p.name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	tmp, err := os.MkdirTemp(a.cache, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	b := builder{ctx: ctx, log: log, config: k.config(), tree: filepath.Join(tmp, "tree")}
	if err := a.unpack(ctx, k.source, b.tree, &b, left...); err != nil {
		return "", fmt.Errorf("unpack %s: %w", from, err)
	}
	for _, patch := range p.patches {
		if err := b.apply(patch); err != nil {
			return "", fmt.Errorf("apply %s to %s: %w", patch.name, from, err)
		}
	}
	built, err := p.build(&b, tmp)
	if err != nil {
		return "", fmt.Errorf("build %s of %s: %w", p.name, from, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return path, os.Rename(built, path)
}

// builder is one build.
type builder struct {
	ctx context.Context
	log io.Writer
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
	"--exclude=*/drivers/staging/*.[ch]", "--exclude=*/sound/*.[ch]", "--exclude=*/Documentation/*/*",
	// All but the harness and Landlock's own.
	"--exclude=*/tools/testing/[!s]*", "--exclude=*/tools/testing/selftests/[!kl]*", "--exclude=*/tools/testing/selftests/kvm/*",
}

// isSourceArchive matches the archive in Debian's packages of kernel sources.
func isSourceArchive(name string) bool {
	return strings.HasPrefix(name, "usr/src/linux-source-") && strings.HasSuffix(name, ".tar.xz")
}

// apply fails on fuzz: a patch that fits only roughly was not made for this source.
func (b *builder) apply(p patch) error {
	return b.run(b.tree, bytes.NewReader(p.diff), "patch", "-p1", "--fuzz=0", "--forward", "--batch", "--no-backup-if-mismatch", "--reject-file=-")
}
