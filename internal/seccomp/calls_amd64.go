// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

const (
	arch = unix.AUDIT_ARCH_X86_64
	// foreign is the first number of another ABI of this machine: x32.
	foreign = 0x40000000
)

// stat are the calls that say what a file is, by its path. It is never written.
var stat = [...]uint32{unix.SYS_NEWFSTATAT}
