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

// ErrNotBuilt and ErrDisabled are the reasons why a kernel cannot sandbox anything.
var (
	ErrNotBuilt = errors.New("this kernel was built without Landlock " +
		"(Linux 5.13 and later have it, with CONFIG_SECURITY_LANDLOCK)")
	ErrDisabled = errors.New("this kernel has Landlock, but it was not enabled at boot " +
		"(add landlock to CONFIG_LSM, or to lsm= on the kernel's command line)")
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

// Errata returns which fixes of Landlock this kernel reports: bit n-1 is that of
// erratum n. It is false for a kernel that does not report them (before Linux 6.15,
// without backports).
func Errata() (fixed uint32, known bool) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_ERRATA)
	if errno != 0 {
		return 0, false
	}
	return uint32(v), true
}

// Rights asks this kernel for each right whether it can restrict it, those included
// that nobody has named yet. What an ABI version stands for is a table, and some
// kernels do not keep to it. Any answer but yes and the kernel's own no, as that of a
// seccomp filter, leaves the right unknown.
func Rights() access.Bounds {
	var rights access.Bounds
	for _, r := range access.Of(access.Every()) {
		switch accepts(r.Rights()) {
		case access.Yes:
			rights = rights.Union(access.Exactly(r.Rights()))
		case access.Unknown:
			rights.May = rights.May.Union(r.Rights())
		}
	}
	return rights
}

// accepts reports whether the kernel makes a ruleset that handles the rights.
func accepts(r access.Rights) access.Answer {
	fd, err := CreateRuleset(r)
	switch {
	case err == nil:
		unix.Close(fd)
		return access.Yes
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.E2BIG): // no such bit; no such class
		return access.No
	default:
		return access.Unknown
	}
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
func RestrictThread(ruleset int) error { return restrictThread(ruleset, 0) }

// restrictThreadQuietly is RestrictThread for a domain whose denials are expected:
// where the kernel can (Linux 6.15), they are not in the audit log.
func restrictThreadQuietly(ruleset int) error {
	err := restrictThread(ruleset, unix.LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF)
	if errors.Is(err, unix.EINVAL) {
		err = restrictThread(ruleset, 0)
	}
	return err
}

func restrictThread(ruleset int, flags uintptr) error {
	_, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), flags, 0)
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
