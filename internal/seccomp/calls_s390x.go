// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

const (
	arch = unix.AUDIT_ARCH_S390X
	// foreign is the first number of another ABI of this machine: it has none but that
	// of 31 bits, which has an architecture of its own.
	foreign = 0x80000000
	// cloneFlags is which argument of clone(2) has the flags: the stack is the first.
	cloneFlags = 1
	// lowHalf is where, in the 8 bytes of an argument, those of its lower 32 bits are.
	lowHalf = 4
)

// stat are the calls that say what a file is, by its path. It is never written.
var stat = [...]uint32{unix.SYS_NEWFSTATAT, unix.SYS_STAT, unix.SYS_LSTAT}

// mapping returns the conditions of mmap(2): none, as its arguments are in memory here, where
// a filter cannot look. Memory that is mapped as code stays possible.
func mapping([]condition) []condition { return nil }

// socketCalls returns what Go calls here in place of the calls of sockets: socketcall(2), with
// the number of the call. The other arguments are in memory: which options are set cannot be
// seen.
func socketCalls() Calls {
	const (
		getSockName = 6 // include/uapi/linux/net.h
		getPeerName = 7
		recvFrom    = 12
		shutdown    = 13
		setSockOpt  = 14
		getSockOpt  = 15
		accept4     = 18
	)
	var c Calls
	for _, n := range [...]uint64{
		getSockName, getPeerName, recvFrom, shutdown, setSockOpt, getSockOpt, accept4,
	} {
		c = append(c, call{unix.SYS_SOCKETCALL, is(0, n)})
	}
	return c
}
