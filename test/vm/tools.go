// SPDX-License-Identifier: Apache-2.0

package vm

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

// Tools are what booting a guest for amd64 needs.
var Tools = map[string]string{
	"qemu-system-x86_64":               "qemu-system-x86",
	"/usr/share/seabios/bios-256k.bin": "seabios",
}

// Install installs what is missing on this machine, with its own apt. The tools
// are files, programs by their name and others by their path, and the Debian
// packages that have them.
func Install(ctx context.Context, out io.Writer, tools ...map[string]string) error {
	var missing []string
	for _, some := range tools {
		for file, pkg := range some {
			if !there(file) && !slices.Contains(missing, pkg) {
				missing = append(missing, pkg)
			}
		}
	}
	slices.Sort(missing)
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
