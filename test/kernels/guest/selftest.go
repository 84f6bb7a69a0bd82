// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// selftest becomes one of the kernel's own tests of Landlock.
//
// A test that was ended by its timeout leaves its directory behind, and then all that make one of
// this name fail.
func selftest(args []string) {
	exit("selftest", errors.Join(os.Chdir(selftests), os.RemoveAll("tmp")))
	exit("selftest", syscall.Exec(args[0], args, os.Environ()))
}

// ownRoot makes the root of this process a mount of the initramfs upon itself. Some tests call
// pivot_root(2), which refuses the initramfs, as nothing is mounted below it; one wants the
// kernel's first mount namespace, so that another one is none for it.
func ownRoot() error {
	const at = "/run/root"
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("/", at, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mount the root: %w", err)
	}
	if err := os.Chdir(at); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return os.Chdir("/")
}

// loadModule loads a module of the running kernel, which may be loaded already.
func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("load %s: %w", path, err)
	}
	return nil
}
