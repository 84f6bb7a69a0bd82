// SPDX-License-Identifier: Apache-2.0

// Package netns makes a test's own network namespace usable.
package netns

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// LoopbackUp has the loopback addresses work in the calling thread's network namespace.
func LoopbackUp() error {
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback device: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback device: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo); err != nil {
		return fmt.Errorf("flags of the loopback device: %w", err)
	}
	lo.SetUint16(lo.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("loopback device: %w", err)
	}
	return nil
}
