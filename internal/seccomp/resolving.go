// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

// Resolving returns what the process calls that opens what assets are, beside the serving stage:
// tests (test/e2e/assets_test.go) fail if it was refused a call. It makes no sockets: it has the
// one that it was given. How openat2(2) opens no filter can see, and that is for containers: its
// domain keeps the process from reading files.
func Resolving() Calls { return common([]uint32{unix.SYS_OPENAT2}) }
