// SPDX-License-Identifier: Apache-2.0

//go:build !s390x

package seccomp

const (
	// cloneFlags is which argument of clone(2) has the flags.
	cloneFlags = 0
	// lowHalf is where, in the 8 bytes of an argument, those of its lower 32 bits are.
	lowHalf = 0
)

// mapping returns the conditions of mmap(2).
func mapping(noCode []condition) []condition { return noCode }

// socketCalls returns what is called in place of the calls of sockets: nothing.
func socketCalls() Calls { return nil }
