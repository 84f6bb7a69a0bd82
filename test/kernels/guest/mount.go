// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mountAll mounts what programs expect of a system. Kernels without one of the
// optional filesystems are usable.
func mountAll() error {
	for _, m := range []struct {
		kind, at, options string
		optional          bool
	}{
		{"proc", "/proc", "", false},
		{"sysfs", "/sys", "", false},
		{"devtmpfs", "/dev", "", true},
		{"tmpfs", "/tmp", "mode=1777", false},
		{"tmpfs", "/run", "mode=0755", false},
		{"securityfs", "/sys/kernel/security", "", true},
		{"cgroup2", "/sys/fs/cgroup", "", true},
		{"tracefs", "/sys/kernel/tracing", "", true},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil && !errors.Is(err, os.ErrPermission) && !m.optional {
			return fmt.Errorf("make %s: %w", m.at, err)
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.options); err != nil && !m.optional {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	return nil
}
