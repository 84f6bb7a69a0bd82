// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

// Reading returns what the process calls that reads the attribute beside the serving stage:
// tests (test/e2e/reader_test.go) fail if it was refused a call. It makes no sockets: it has
// the one that it was given, which it reads and writes as a file.
func Reading() Calls {
	return append(common([]uint32{
		// Threads that sandbox themselves, to learn what the attribute shows of them.
		unix.SYS_LANDLOCK_CREATE_RULESET, unix.SYS_LANDLOCK_ADD_RULE,
		unix.SYS_LANDLOCK_RESTRICT_SELF,
	}),
		call{unix.SYS_PRCTL, is(0, unix.PR_SET_NO_NEW_PRIVS)},
		// A namespace is asked whose it is.
		call{unix.SYS_IOCTL, is(1, unix.NS_GET_USERNS)})
}
