// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ruleNetPort is LANDLOCK_RULE_NET_PORT (Linux 6.7).
const ruleNetPort = 2

// AllowPort adds a rule that grants rights on a port, TCP or UDP by the rights.
func AllowPort(ruleset int, port uint16, rights uint32) error {
	attr := struct{ allowed, port uint64 }{uint64(rights), uint64(port)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), ruleNetPort, uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock_add_rule(2): %w", errno)
	}
	return nil
}
