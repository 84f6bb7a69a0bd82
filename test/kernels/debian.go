// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed" // debian.sh
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/aptroot"
	"github.com/landlockd/landlockd/test/vm/cpio"
)

// debianSuite is that of the Debian that a package is installed in.
const debianSuite = "trixie"

// debianPackages are what that Debian has, beside what these depend on: what is essential, and
// what landlockd's package depends on.
const debianPackages = "base-files,base-passwd,bash,coreutils,dash,debianutils,diffutils,dpkg,findutils," +
	"grep,gzip,hostname,init-system-helpers,libc-bin,ncurses-bin,perl-base,sed,sysvinit-utils,tar,util-linux," +
	"mount,procps,systemd,systemd-sysv"

//go:embed debian.sh
var debianHook string

// debianRoot is where a guest has the Debian, if it has one: systemd starts there.
const debianRoot = "debian"

// addDebian adds a Debian, and landlockd's package, as it is released, in it.
func addDebian(ctx context.Context, w *cpio.Writer, module, dir, arch string) error {
	deb := filepath.Join(dir, "landlockd.deb")
	if err := vm.Deb(ctx, module, arch, deb); err != nil {
		return err
	}
	content, err := os.ReadFile(deb)
	if err != nil {
		return err
	}
	tree, err := debian(ctx, arch)
	if err != nil {
		return err
	}
	f, err := os.Open(tree)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := addTree(w, bufio.NewReaderSize(f, 1<<20), debianRoot); err != nil {
		return fmt.Errorf("%s: %w", tree, err)
	}
	w.File(0o644, content, debianRoot+"/landlockd.deb")
	return nil
}

// debian returns the path of a tar archive with a Debian of an architecture, which is made once
// and kept. Its packages are unpacked: of their scripts none runs, and debian.sh does what is
// needed of them.
func debian(ctx context.Context, arch string) (string, error) {
	cache, err := vm.Cache("kernels")
	if err != nil {
		return "", err
	}
	h := sha256.Sum256([]byte(debianPackages + debianHook))
	name := "debian-" + debianSuite + "-" + arch + "-"
	final := filepath.Join(cache, name+hex.EncodeToString(h[:8])+".tar")
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	list, err := aptroot.SuiteList(ctx, debianSuite)
	if err != nil {
		return "", err
	}
	settings, err := aptroot.MachineSettings(ctx)
	if err != nil {
		return "", err
	}
	old, err := filepath.Glob(filepath.Join(cache, name+"*.tar"))
	if err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, "debian-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	mode := "unshare"
	if os.Geteuid() == 0 {
		mode = "root"
	}
	args := []string{
		"--variant=extract", "--mode=" + mode, "--format=tar", "--architectures=" + arch,
		"--include=" + debianPackages, "--extract-hook=" + debianHook,
		// The hook needs the packages after that, and removes them.
		"--skip=cleanup/apt",
		// The mirror's index may be older than its own idea of fresh; signatures
		// are checked as always.
		`--aptopt=Acquire::Check-Valid-Until "false"`,
	}
	for setting := range strings.Lines(settings) {
		args = append(args, "--aptopt="+strings.TrimSpace(setting))
	}
	made := filepath.Join(tmp, "root.tar")
	cmd := exec.CommandContext(ctx, "mmdebstrap", append(args, debianSuite, made, strings.TrimSpace(list))...)
	if err := vm.RunLogged(cmd, io.Discard); err != nil {
		return "", err
	}
	if err := os.Rename(made, final); err != nil {
		return "", err
	}
	for _, path := range old {
		err = errors.Join(err, os.Remove(path))
	}
	return final, err
}

// addTree adds what a tar archive has below a directory, all of it as root's: directories,
// files and symbolic links. Hard links become symbolic ones; devices are the guest's to make.
func addTree(w *cpio.Writer, r io.Reader, below string) error {
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Join(below, h.Name)
		perm := uint32(h.Mode) & 0o7777
		switch h.Typeflag {
		case tar.TypeDir:
			w.Dir(name, perm)
		case tar.TypeReg:
			content, err := io.ReadAll(files)
			if err != nil {
				return err
			}
			w.File(perm, content, name)
		case tar.TypeSymlink:
			w.Symlink(h.Linkname, name)
		case tar.TypeLink:
			w.Symlink(path.Join("/", h.Linkname), name)
		}
	}
}
