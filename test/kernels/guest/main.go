// SPDX-License-Identifier: Apache-2.0

// Command guest is the first process of a test guest. It mounts what a system
// has, runs the checks that the kernel's command line names, says over the
// console how they went (package protocol) and powers the machine off.
//
// It is the only program in the guest besides those that checks start. Its first
// argument names another role: the runner of checks, or what checks start (roles.go).
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/netns"
	"github.com/landlockd/landlockd/test/programs"
	"github.com/landlockd/landlockd/test/vm/check"
	"github.com/landlockd/landlockd/test/vm/protocol"
)

// self is where the host puts this program in the initramfs.
const self = "/init"

// The main thread is kept for the main goroutine: goroutines that restrict
// their thread get others, which end with them.
func init() { runtime.LockOSThread() }

func main() {
	programs.EnterIfAsked()
	switch {
	case os.Getpid() == 1:
		boot()
	case os.Args[0] == "sh" && slices.Contains(os.Args[1:], loopbackUp):
		exit("loopback", netns.LoopbackUp())
	case len(os.Args) > 1 && roles[os.Args[1]] != nil:
		roles[os.Args[1]](os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "guest: this is the first process of a test guest, not a program to be started by hand")
		os.Exit(2)
	}
}

// boot is what the first process does. It never returns: a panic of PID 1
// would be a panic of the kernel.
func boot() {
	defer powerOff()
	if _, err := os.Stat(debian); err == nil {
		err = enterDebian()
		check.Emit(protocol.Line{Kind: protocol.Log, Check: "init", Text: fmt.Sprintf("start Debian: %v", err)})
		return
	}
	if err := mountAll(); err != nil {
		check.Emit(protocol.Line{Kind: protocol.Log, Check: "init", Text: err.Error()})
		return
	}
	// From here on only what the kernel thinks is an emergency, and the
	// text of an oops, comes to the console beside our own lines.
	_ = os.WriteFile("/proc/sys/kernel/printk", []byte("1"), 0)
	cmd := exec.Command(self, "run")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = []string{"PATH=/bin", "HOME=/tmp", "TMPDIR=/tmp"}
	if err := cmd.Start(); err != nil {
		check.Emit(protocol.Line{Kind: protocol.Log, Check: "init", Text: "start the runner: " + err.Error()})
		return
	}
	// Checks leave orphans behind, and an init reaps them.
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid == cmd.Process.Pid {
			return
		}
	}
}

// powerOff resets the machine, which ends it: it is started with -no-reboot. A
// real power-off needs ACPI, which a small kernel lacks.
func powerOff() {
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {}
}
