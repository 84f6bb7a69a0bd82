// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/sandbox"
)

// roles are what this program does in services. Launchers take their options
// before "--" and what to launch behind it.
var roles map[string]func([]string)

func init() {
	roles = map[string]func([]string){
		"launch":  launch,
		"fork":    fork,
		"partial": partial,
		"named":   named,
		"enter":   enter,
		// As sleep(1), where there are no libraries.
		"infinity": func([]string) { forever() },
	}
}

// fail ends a role that failed.
func fail(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

// launch is a launcher of sandboxes: [depth=N] [weak] -- PROGRAM ARGUMENT...
// It becomes the program.
func launch(args []string) {
	options, command := split(args)
	depth := 1
	rights := strong()
	for _, o := range options {
		switch n, isDepth := strings.CutPrefix(o, "depth="); {
		case isDepth:
			d, err := strconv.Atoi(n)
			fail(o, err)
			depth = d
		case o == "weak":
			rights = access.Rights{access.FS: unix.LANDLOCK_ACCESS_FS_MAKE_SYM}
		default:
			fail("option", fmt.Errorf("%q", o))
		}
	}
	fail("sandbox", alike(depth, rights).Enter())
	fail(command[0], syscall.Exec(command[0], command, os.Environ()))
}

// fork is a launcher that stays, outside of the sandbox: -- PROGRAM ARGUMENT...
func fork(args []string) {
	_, command := split(args)
	cmd := exec.Command(self, append([]string{"launch", "--"}, command...)...)
	fail("start", cmd.Start())
	_ = cmd.Wait()
}

// partial has one thread in a domain and the others in none.
func partial([]string) {
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		ready <- alike(1, strong()).Enter()
		select {}
	}()
	fail("sandbox", <-ready)
	fail("notify", notifyReady())
	forever()
}

// named calls itself NAME and does nothing.
func named(args []string) {
	fail("rename", os.WriteFile("/proc/self/comm", []byte(args[0]), 0))
	forever()
}

// enter moves itself to the cgroups of a hierarchy, one after the other, each
// made first if need be, and becomes a program: CGROUP... -- PROGRAM ARGUMENT...
func enter(args []string) {
	cgroups, command := split(args)
	for _, c := range cgroups {
		fail("make cgroup", os.MkdirAll(c, 0o755))
		fail("enter cgroup", os.WriteFile(c+"/cgroup.procs", []byte("0"), 0))
	}
	fail(command[0], syscall.Exec(command[0], command, os.Environ()))
}

// split returns what is before and behind "--".
func split(args []string) (before, behind []string) {
	for i, a := range args {
		if a == "--" && i+1 < len(args) {
			return args[:i], args[i+1:]
		}
	}
	fail("arguments", fmt.Errorf("%q has no -- PROGRAM", args))
	return nil, nil
}

func forever() {
	for {
		_ = unix.Pause()
	}
}

// strong are all rights but those that a program needs to start and to sleep.
func strong() access.Rights {
	r := landlock.Rights().Sure
	r[access.FS] &^= unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	return r
}

// alike returns a sandbox of so many layers that are alike.
func alike(depth int, r access.Rights) sandbox.Sandbox {
	return slices.Repeat(sandbox.Sandbox{{Handled: r}}, depth)
}

// notifyReady notifies the service manager, see sd_notify(3).
func notifyReady() error {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: os.Getenv("NOTIFY_SOCKET"), Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte("READY=1"))
	return err
}
