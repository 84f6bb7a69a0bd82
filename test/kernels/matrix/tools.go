// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// tools are the files that a run needs, and Debian's packages that have them.
var tools = []struct{ file, pkg string }{
	{"qemu-system-x86_64", "qemu-system-x86"},
	{"qemu-system-aarch64", "qemu-system-arm"},
	{"gcc", "gcc"},
	{"aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"},
	{"/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross"},
	{"make", "make"},
	{"patch", "patch"},
	{"flex", "flex"},
	{"bison", "bison"},
	{"bc", "bc"},
	{"perl", "perl"},
	{"python3", "python3"},
	{"pahole", "dwarves"},
	{"xz", "xz-utils"},
	{"/usr/include/libelf.h", "libelf-dev"},
	{"/usr/share/seabios/bios-256k.bin", "seabios"},
	{"/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"},
}

// InstallTools installs what is missing on this machine, with its own apt.
func InstallTools(ctx context.Context, out io.Writer) error {
	var missing []string
	for _, t := range tools {
		if !there(t.file) && !slices.Contains(missing, t.pkg) {
			missing = append(missing, t.pkg)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("these packages are missing, and only root can install them: %s", strings.Join(missing, " "))
	}
	fmt.Fprintf(out, "installing %s\n", strings.Join(missing, " "))
	install := append([]string{"-qq", "install", "-y", "--no-install-recommends"}, missing...)
	if err := aptGet(ctx, install...); err != nil {
		// The lists may be missing, or older than the archive.
		return errors.Join(aptGet(ctx, "-qq", "update"), aptGet(ctx, install...))
	}
	return nil
}

func there(file string) bool {
	if strings.HasPrefix(file, "/") {
		_, err := os.Stat(file)
		return err == nil
	}
	_, err := exec.LookPath(file)
	return err == nil
}

func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(cmd.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, text)
	}
	return nil
}
