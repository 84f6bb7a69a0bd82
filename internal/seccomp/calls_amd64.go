// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

const (
	arch       = unix.AUDIT_ARCH_X86_64
	newfstatat = unix.SYS_NEWFSTATAT
	// foreign is the first number of another ABI of this machine: x32.
	foreign = 0x40000000
)
