// SPDX-License-Identifier: Apache-2.0

// Command guest runs the checks in a guest with systemd and says over the
// console how they went. It is started by checks.service, which the image has
// (../image/customize.sh), and has a few other roles (roles.go).
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/vm/check"
	"github.com/landlockd/landlockd/test/vm/protocol"
)

// self is where the guest has this program.
const self = "/payload/guest"

// checkTime bounds one check: the rest of the boot's checks still run.
const checkTime = 5 * time.Minute

// T is what a check reports to.
type T = check.T

// The main thread is kept for the main goroutine: goroutines that restrict
// their thread get others.
func init() { runtime.LockOSThread() }

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "run":
		runChecks()
	case len(os.Args) > 1 && roles[os.Args[1]] != nil:
		roles[os.Args[1]](os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "guest: this runs in a test guest, and is not to be started by hand")
		os.Exit(2)
	}
}

func runChecks() {
	// From here on only emergencies of the kernel come to the console beside
	// our own lines.
	_ = os.WriteFile("/proc/sys/kernel/printk", []byte("1"), 0)
	if up, err := os.ReadFile("/proc/uptime"); err == nil {
		check.Emit(protocol.Line{Kind: protocol.Fact, Check: "boot", Key: "uptime", Text: string(up)})
	}
	check.RunAll(registry(), checkTime)
	// The journal is of no use to anybody, so the machine goes off at once.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}
