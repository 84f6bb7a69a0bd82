// SPDX-License-Identifier: Apache-2.0

// Package landlock wraps the three system calls of Landlock for one thread.
//
// landlockd restricts single threads for two purposes: helpers of known depth,
// from which it learns how the running kernel stores domains, and the one
// thread that executes the serving stage. Neither wants what general libraries
// do, which is to restrict every thread of the process.
package landlock

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
)

// ErrNotBuilt and ErrDisabled tell why a kernel cannot sandbox anything.
var (
	ErrNotBuilt = errors.New("this kernel was built without Landlock (Linux 5.13 and later have it, with CONFIG_SECURITY_LANDLOCK)")
	ErrDisabled = errors.New("this kernel has Landlock, but it was not enabled at boot (add landlock to CONFIG_LSM, or to lsm= on the kernel's command line)")
)

// ABI returns the version of the kernel's Landlock interface, at least 1, or
// an error that wraps ErrNotBuilt or ErrDisabled.
func ABI() (int, error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(v), nil
	case unix.ENOSYS:
		return 0, ErrNotBuilt
	case unix.EOPNOTSUPP:
		return 0, ErrDisabled
	default:
		return 0, fmt.Errorf("landlock_create_ruleset(2): %w", errno)
	}
}

// Supported returns all rights that this kernel can handle, found by asking it:
// what it accepts is a fact, what a version stands for is a table.
func Supported(abi int) (access.Rights, error) {
	var r access.Rights
	if abi < 1 {
		return r, nil
	}
	r[access.FS] = supported(func(m uint32) access.Rights { return access.Rights{access.FS: m} })
	if abi >= 4 {
		r[access.Net] = supported(func(m uint32) access.Rights { return access.Rights{access.Net: m} })
	}
	if abi >= 6 {
		r[access.Scope] = supported(func(m uint32) access.Rights { return access.Rights{access.Scope: m} })
	}
	if r[access.FS] == 0 {
		return r, fmt.Errorf("landlock_create_ruleset(2) accepts no right, though its ABI version is %d", abi)
	}
	return r, nil
}

// supported returns the mask of those low bits that the kernel accepts.
func supported(rights func(uint32) access.Rights) uint32 {
	n := 0
	for n < 32 && accepts(rights(1<<n)) {
		n++
	}
	return uint32(uint64(1)<<n - 1)
}

func accepts(r access.Rights) bool {
	fd, err := CreateRuleset(r)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// attrSize is the length of struct landlock_ruleset_attr up to the last field
// that is used: an older kernel refuses a longer one only if it is not zero
// there, but a shorter one always works.
func attrSize(r access.Rights) uintptr {
	switch {
	case r[access.Scope] != 0:
		return 24
	case r[access.Net] != 0:
		return 16
	default:
		return 8
	}
}

// CreateRuleset returns the descriptor of a ruleset that handles the rights.
func CreateRuleset(handled access.Rights) (int, error) {
	attr := unix.LandlockRulesetAttr{
		Handled_access_fs:  uint64(handled[access.FS]),
		Handled_access_net: uint64(handled[access.Net]),
		Scoped:             uint64(handled[access.Scope]),
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), attrSize(handled), 0)
	if errno != 0 {
		return -1, fmt.Errorf("landlock_create_ruleset(2): %w", errno)
	}
	return int(fd), nil
}

// AllowBeneath adds a rule that grants rights on what the descriptor refers to
// and on everything below it.
func AllowBeneath(ruleset, fd int, rights uint32) error {
	attr := unix.LandlockPathBeneathAttr{Allowed_access: uint64(rights), Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock_add_rule(2): %w", errno)
	}
	return nil
}

// RestrictThread puts the calling thread, and no other, in a new domain. The
// caller has locked its goroutine to the thread and has set no_new_privs.
func RestrictThread(ruleset int) error {
	_, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock_restrict_self(2): %w", errno)
	}
	return nil
}

// NoNewPrivs sets no_new_privs on the calling thread alone.
func NoNewPrivs() error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("prctl(PR_SET_NO_NEW_PRIVS): %w", errno)
	}
	return nil
}
