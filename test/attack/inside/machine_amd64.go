// SPDX-License-Identifier: Apache-2.0

package inside

import "golang.org/x/sys/unix"

// machine are the calls that only this architecture has.
func machine() []attack {
	return []attack{
		{"fork", bySeccomp, unix.SYS_FORK, nil},
		{"vfork", bySeccomp, unix.SYS_VFORK, nil},
		{"open", bySeccomp, unix.SYS_OPEN, []any{"/", 0, 0}},
		{"creat", bySeccomp, unix.SYS_CREAT, []any{"/tmp/inside", 0o600}},
		{"rename", bySeccomp, unix.SYS_RENAME, []any{"/tmp/inside", "/tmp/outside"}},
		{"modify_ldt", bySeccomp, unix.SYS_MODIFY_LDT, []any{0, nothing(), 16}},
		{"arch_prctl", bySeccomp, unix.SYS_ARCH_PRCTL, []any{0x1003, nothing()}}, // ARCH_GET_FS
		{"iopl", bySeccomp, unix.SYS_IOPL, []any{0}},
		{"ioperm", bySeccomp, unix.SYS_IOPERM, []any{0, 1, 0}},
		{"alarm", bySeccomp, unix.SYS_ALARM, []any{0}},
	}
}
