// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// image matches packages that can hold a kernel, by series, flavour and architecture. Some
// releases have the kernel in linux-image-*, in others that is a stub and the kernel is in
// linux-binary-*.
var image = regexp.MustCompile(`^linux-(?:image|binary)-(\d+\.\d+)[^a-z]*(?:\+deb\d+)?(?:-(cloud|rt))?-(amd64|arm64|s390x)$`)

// stubSize is the size in bytes below which a package holds no kernel.
const stubSize = 1 << 20

// find returns the newest kernel of a series such as "6.12".
func find(packages []aptroot.Package, series string, f Flavour, arch string) (aptroot.Package, bool) {
	return aptroot.Newest(packages, func(p aptroot.Package) bool {
		m := image.FindStringSubmatch(p.Name)
		return m != nil && m[1] == series && cmp.Or(Flavour(m[2]), Generic) == f && m[3] == arch && p.Architecture == arch && p.Size >= stubSize
	})
}

// findSource returns the newest source of a series.
func findSource(packages []aptroot.Package, series string) (aptroot.Package, bool) {
	return aptroot.Newest(packages, func(p aptroot.Package) bool {
		return p.Name == "linux-source-"+series && p.Size >= stubSize
	})
}

// isKernelPackage reports whether a package can hold a kernel, its modules or its sources.
func isKernelPackage(name string) bool {
	return strings.HasPrefix(name, "linux-image-") || strings.HasPrefix(name, "linux-binary-") ||
		strings.HasPrefix(name, "linux-modules-") || strings.HasPrefix(name, "linux-source-")
}

// stock returns the path of the package's kernel, unpacked, in the cache
// directory, and gets it there first if need be.
func (a *Archive) stock(ctx context.Context, p aptroot.Package) (string, error) {
	kernel := filepath.Join(a.cache, "stock", p.Key(), "vmlinux")
	if _, err := os.Stat(kernel); err == nil {
		return kernel, nil
	}
	tmp, err := os.MkdirTemp(a.cache, "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	deb, err := a.root.Fetch(ctx, p, tmp)
	if err != nil {
		return "", err
	}
	vmlinuz := filepath.Join(tmp, "vmlinuz")
	err = extract(ctx, deb, isKernel, func(r io.Reader) error { return writeFile(vmlinuz, r) })
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.Name, err)
	}
	unpacked := vmlinuz // that of arm64 is not packed, and QEMU takes that of s390x as it is
	if p.Architecture == "amd64" {
		unpacked = filepath.Join(tmp, "vmlinux")
		if err := unpack(ctx, vmlinuz, unpacked); err != nil {
			return "", fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(kernel), 0o755); err != nil {
		return "", err
	}
	return kernel, os.Rename(unpacked, kernel)
}

// isKernel matches boot/vmlinuz-<release> and usr/lib/modules/<release>/vmlinuz.
func isKernel(name string) bool {
	return strings.HasPrefix(name, "boot/vmlinuz-") || strings.HasPrefix(name, "usr/lib/modules/") && path.Base(name) == "vmlinuz"
}

func writeFile(name string, r io.Reader) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// extract calls use with the content of the first regular file of a package
// whose path (without a leading "./") matches.
func extract(ctx context.Context, deb string, match func(string) bool, use func(io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// What is behind the file is not read: the program may end as it likes.
	defer cmd.Wait()
	defer cancel()
	for files := tar.NewReader(out); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("the package has no such file")
		}
		if err != nil {
			return fmt.Errorf("dpkg-deb --fsys-tarfile: %w", err)
		}
		if header.Typeflag == tar.TypeReg && match(strings.TrimPrefix(header.Name, "./")) {
			return use(files)
		}
	}
}
