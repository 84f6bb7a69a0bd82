// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/sandbox"
)

// roleArg as the first argument makes this test binary play a role.
const roleArg = "role"

// playRole does what one kind of test process does; most end in execve(2).
func playRole(args []string) int {
	roles := map[string]func([]string) error{
		"sandbox": sandboxRole, "partial": partialRole, "hidebtf": hideBTFRole, "activate": activateRole, "name": nameRole,
		"nolandlock": noLandlockRole, "noscopes": noScopesRole, "refusing": refusingRole, "etc": etcRole, "provoke": provokeRole, "audit-guard": guardRole,
		"box": boxRole, "abstract-server": abstractServerRole, "abstract-client": abstractClientRole,
		"roots": rootsRole, "rooted": rootedRole, "rooted-threads": rootedThreadsRole,
		"leaderless": leaderlessRole, "nobpf": noBPFRole,
	}
	role := roles[args[0]]
	if role == nil {
		fmt.Fprintf(os.Stderr, "no role %q\n", args[0])
		return 1
	}
	if err := role(args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "role %s: %v\n", args[0], err)
		return 1
	}
	return 0
}

// sandboxRole executes a program in a new domain nested LAYERS times.
func sandboxRole(args []string) error {
	layers, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := sandbox.Harmless(layers).Enter(); err != nil {
		return err
	}
	return execute(args[1:])
}

// partialRole stays a process of many threads of which one is sandboxed: not the leader.
func partialRole([]string) error {
	done := make(chan error)
	var start func()
	start = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			go start() // held here, the leader cannot be the next one's thread
		} else {
			done <- sandbox.Harmless(1).Enter()
		}
		select {}
	}
	go start()
	if err := <-done; err != nil {
		return err
	}
	return untilStdinEnds()
}

// hideBTFRole executes a program in a mount namespace, given with it, where the
// kernel's type information cannot be found.
func hideBTFRole(args []string) error {
	// Of this thread's own, which is the one that executes the program.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mount namespace private: %w", err)
	}
	// The first is where it is; the others are where it is sought then.
	for _, dir := range []string{"/sys/kernel/btf", "/boot", "/lib/modules", "/usr/lib/debug"} {
		err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, "")
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("hide %s: %w", dir, err)
		}
	}
	return execute(args)
}

// etcRole executes a program that finds another directory as /etc, the first
// argument.
func etcRole(args []string) error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mount namespace private: %w", err)
	}
	if err := unix.Mount(args[0], "/etc", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount %s: %w", args[0], err)
	}
	return execute(args[1:])
}

// activateRole executes a program as systemd does for a socket unit.
func activateRole(args []string) error {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	const first = 3 // SD_LISTEN_FDS_START
	if int(f.Fd()) != first {
		if err := unix.Dup3(int(f.Fd()), first, 0); err != nil {
			return err
		}
	} else if _, err := unix.FcntlInt(first, unix.F_SETFD, 0); err != nil {
		return err
	}
	os.Setenv("LISTEN_FDS", "1")
	os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	return execute(args[1:])
}

// nameRole calls itself what the argument says.
func nameRole(args []string) error {
	if err := os.WriteFile("/proc/self/comm", []byte(args[0]), 0); err != nil {
		return err
	}
	return untilStdinEnds()
}

// untilStdinEnds says that the role is played, and stays.
func untilStdinEnds() error {
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func execute(args []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	return unix.Exec(path, args, os.Environ())
}
