// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

const (
	arch = unix.AUDIT_ARCH_AARCH64
	// foreign is the first number of another ABI of this machine: it has none but that
	// of 32 bits, which has an architecture of its own.
	foreign = 0x80000000
)

// stat are the calls that say what a file is, by its path. It is never written.
var stat = [...]uint32{unix.SYS_FSTATAT}
