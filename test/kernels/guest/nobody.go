// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is a user who owns nothing.
const nobody = 65534

// asNobodyCommand returns a command in which a role is played by user nobody
// with the given capabilities alone.
func asNobodyCommand(capabilities uint64, args ...string) *exec.Cmd {
	return exec.Command(self, append([]string{"as-nobody", strconv.FormatUint(capabilities, 16)}, args...)...)
}

// asNobody changes user and capabilities and executes the rest of its
// arguments: an exec gives every thread what the main thread has.
func asNobody(args []string) {
	capabilities, err := strconv.ParseUint(args[0], 16, 64)
	exit("arguments", err)
	// Raw calls, which change the calling thread alone.
	raw := func(what string, call, a, b, c uintptr) {
		if _, _, errno := unix.RawSyscall(call, a, b, c); errno != 0 {
			exit(what, errno)
		}
	}
	exit("keep capabilities", unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0))
	raw("setgroups", unix.SYS_SETGROUPS, 0, 0, 0)
	raw("setresgid", unix.SYS_SETRESGID, nobody, nobody, nobody)
	raw("setresuid", unix.SYS_SETRESUID, nobody, nobody, nobody)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		set := uint32(capabilities >> (32 * i))
		data[i] = unix.CapUserData{Effective: set, Permitted: set, Inheritable: set}
	}
	exit("capset", unix.Capset(&header, &data[0]))
	for c := range 64 {
		if capabilities&(1<<c) != 0 {
			exit(fmt.Sprint("ambient capability ", c), unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0))
		}
	}
	exit("exec", syscall.Exec(self, append([]string{self}, args[1:]...), nil))
}
