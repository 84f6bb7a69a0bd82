// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

const (
	arch       = unix.AUDIT_ARCH_AARCH64
	newfstatat = unix.SYS_FSTATAT
	// foreign is the first number of another ABI of this machine: it has none but that
	// of 32 bits, which has an architecture of its own.
	foreign = 0x80000000
)
