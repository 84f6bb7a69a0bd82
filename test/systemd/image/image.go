// SPDX-License-Identifier: Apache-2.0

// Package image makes root filesystems of Debian with systemd, and keeps them.
package image

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // customize.sh
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// Tools are the files that a build needs, and the Debian packages that have them.
var Tools = map[string]string{
	"mmdebstrap":      "mmdebstrap",
	"genext2fs":       "genext2fs",
	"/sbin/resize2fs": "e2fsprogs",
	"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}

// base is what every image has, beside Debian's essential packages.
var base = []string{"systemd", "systemd-sysv", "dbus", "libpam-systemd"}

// left is documentation, which nobody reads there.
var left = []string{"/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*"}

//go:embed customize.sh
var customize string

// size is that of an image, in bytes, unless its recipe says otherwise. Images are sparse.
const size = 1 << 30

// Recipe says what is in an image.
type Recipe struct {
	// Release is Debian's codename.
	Release string
	// Packages are installed beside those that every image has.
	Packages []string
	// Size is in bytes; 0 is 1 GiB.
	Size int64
}

// Key names all that an image is made from, except the mirror's state.
func (r Recipe) Key() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %d\n%s", r.Release, r.packages(), left, r.size(), customize)
	return r.Release + "-" + hex.EncodeToString(h.Sum(nil))[:16]
}

func (r Recipe) size() int64 { return cmp.Or(r.Size, size) }

func (r Recipe) packages() []string {
	all := append(slices.Clone(base), r.Packages...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Build returns the path of an image in the cache directory, and makes it there
// first if need be. The list is one of sources, see sources.list(5). What the build
// says is kept beside the image. Images that nobody used for long are removed.
func Build(ctx context.Context, r Recipe, list, cache string) (string, error) {
	final := filepath.Join(cache, r.Key()+".ext2")
	now := time.Now()
	there := use(final, now)
	if err := prune(cache, now); err != nil {
		return "", err
	}
	if !errors.Is(there, os.ErrNotExist) {
		return final, there
	}
	log, err := os.Create(filepath.Join(cache, r.Key()+".log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	tmp, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	b := builder{ctx: ctx, dir: tmp, log: log}
	img, err := b.bootstrap(r, list)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", r.Key(), err)
	}
	return final, os.Rename(img, final)
}

type builder struct {
	ctx context.Context
	dir string
	log io.Writer
}

// bootstrap installs the packages and makes a filesystem with room in it.
func (b *builder) bootstrap(r Recipe, list string) (string, error) {
	settings, err := aptroot.MachineSettings(b.ctx)
	if err != nil {
		return "", err
	}
	mode := "unshare"
	if os.Geteuid() == 0 {
		mode = "root"
	}
	args := []string{
		"--variant=minbase", "--mode=" + mode, "--format=ext2", "--include=" + strings.Join(r.packages(), ","),
		// The mirror's index may be older than its own idea of fresh; signatures
		// are checked as always.
		`--aptopt=Acquire::Check-Valid-Until "false"`,
		"--customize-hook=" + customize,
	}
	for setting := range strings.Lines(settings) {
		args = append(args, "--aptopt="+strings.TrimSpace(setting))
	}
	for _, path := range left {
		args = append(args, "--dpkgopt=path-exclude="+path)
	}
	img := filepath.Join(b.dir, "root.ext2")
	args = append(args, r.Release, img)
	for source := range strings.Lines(list) {
		args = append(args, strings.TrimSpace(source))
	}
	if err := b.run(0, "mmdebstrap", args...); err != nil {
		return "", err
	}
	if err := os.Truncate(img, r.size()); err != nil {
		return "", err
	}
	// 1 of e2fsck: it mended something.
	if err := b.run(1, "e2fsck", "-fy", img); err != nil {
		return "", err
	}
	return img, b.run(0, "resize2fs", img)
}

// run runs a program. An exit status up to fine is good.
func (b *builder) run(fine int, name string, args ...string) error {
	cmd := exec.CommandContext(b.ctx, name, args...)
	// Programs for the administrator are not in everybody's PATH.
	cmd.Env = append(cmd.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	err := vm.RunLogged(cmd, b.log)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() && exit.ExitCode() <= fine {
		return nil
	}
	return err
}
