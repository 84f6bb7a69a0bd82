// SPDX-License-Identifier: Apache-2.0

package inside

import "golang.org/x/sys/unix"

// int80 calls getpid(2) by the ABI of 32 bits.
func int80()

// foreign are calls by the machine's other ABIs.
var foreign = map[string]func(){
	"i386": int80,
	"x32":  func() { _, _, _ = unix.RawSyscall(1<<30|unix.SYS_GETPID, 0, 0, 0) },
}
