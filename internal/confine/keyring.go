// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// sealed are the permissions of a session keyring that stays empty: whoever possesses it
// may look at it and read it, and nobody may write to it, or change that (KEY_POS_VIEW
// and KEY_POS_READ of keyctl(2)).
const sealed = 0x03000000

// newKeyring leaves the session keyring for a new and empty one that stays so, without a
// name: one that has a name is shared with whoever asks for it. Where keyctl(2) cannot be
// called at all, because the kernel was built without keyrings or because a filter forbids
// it (that of container runtimes does), the next program cannot call it either.
func newKeyring() error {
	_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
	if err == nil {
		err = unix.KeyctlSetperm(unix.KEY_SPEC_SESSION_KEYRING, sealed)
	}
	if err == nil || errors.Is(err, unix.ENOSYS) || InspectKeyring().Reason == Holds {
		return nil
	}
	return fmt.Errorf("leave the inherited session keyring: keyctl(2): %w", err)
}

// InspectKeyring reads back that the session keyring is one that [Plan.Exec] left. It is
// for the begin of a stage, on any thread: afterwards a filter forbids keyctl(2), as it
// should, and the kernel shows nowhere else which keyring a process has.
//
// That is the property, not which keyring it is: an empty one that nobody can write to
// does no harm, whoever made it.
func InspectKeyring() Failure {
	f := Failure{Keyring, ReadBack}
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, unix.KEY_SPEC_SESSION_KEYRING)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // the kernel says EACCES
		f.Reason = Holds
		return f
	}
	fields := strings.Split(text, ";") // type, user, group, permissions, name
	if err != nil || len(fields) < 5 || fields[3] != fmt.Sprintf("%08x", sealed) {
		return f
	}
	keys, err := unix.KeyctlBuffer(unix.KEYCTL_READ, unix.KEY_SPEC_SESSION_KEYRING, nil, 0)
	if err == nil && keys == 0 {
		f.Reason = Holds
	}
	return f
}
