// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

// Looking returns what the process calls that looks at another process's files for explain:
// TestAsk (internal/explain/apart) has it do so. It makes no sockets and starts nothing.
func Looking() Calls { return common([]uint32{unix.SYS_OPENAT2}) }
