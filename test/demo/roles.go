// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/sandbox"
)

// names are those of the programs, each of a role.
var names = []string{"demo-good", "demo-nested", "demo-partial", "demo-idle", "demo-forgotten"}

// played is what a program prints when it has sandboxed itself.
const played = "played\n"

// play plays the role of a program. What a thread restricts before it executes the program again
// holds for all threads that come after: step is how far it is.
func play(program, step string) error {
	switch filepath.Base(program) + step {
	case "demo-good":
		return enter(program, good, step)
	case "demo-idle":
		return enter(program, idle, step)
	case "demo-nested", "demo-nested child":
		return enter(program, one, step)
	case "demo-nested inside":
		child := exec.Command(program, " child")
		child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
		return child.Run()
	case "demo-partial":
		if err := sandboxThread(); err != nil {
			return err
		}
	case "demo-good inside":
		go tryShadow()
	}
	fmt.Print(played)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// enter enters a sandbox, made of all rights of this kernel and the program's directory, and
// executes the program again, which is inside then.
func enter(program string, of func(access.Rights, string) sandbox.Sandbox, step string) error {
	abi, err := landlock.ABI()
	if err != nil || abi < 1 {
		return errors.Join(errors.New("this kernel has no Landlock, or it is off: "+
			"landlockd doctor shows what to do"), err)
	}
	runtime.LockOSThread()
	if err := of(access.Supported(abi), filepath.Dir(program)).Enter(); err != nil {
		return err
	}
	return unix.Exec(program, []string{program, step + " inside"}, os.Environ())
}

// good reads and executes what is below /usr and in its directory, and may do nothing else.
func good(all access.Rights, dir string) sandbox.Sandbox {
	var use uint32
	for _, right := range append(access.Match("fs.read_*"), access.Match("fs.execute")...) {
		use |= right.Rights()[access.FS]
	}
	return sandbox.Sandbox{{Handled: all, Files: map[string]uint32{"/usr": use, dir: use}}}
}

// idle grants what it handles everywhere.
func idle(all access.Rights, _ string) sandbox.Sandbox {
	files := all[access.FS]
	return sandbox.Sandbox{{
		Handled: access.Rights{access.FS: files}, Files: map[string]uint32{"/": files},
	}}
}

// one restricts as good as nothing.
func one(access.Rights, string) sandbox.Sandbox { return sandbox.Harmless(1) }

// sandboxThread sandboxes one thread of several, which stays.
func sandboxThread() error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- sandbox.Harmless(1).Enter()
		select {}
	}()
	return <-done
}

// tryShadow is denied again and again.
func tryShadow() {
	for range time.Tick(time.Second) {
		if f, err := os.Open("/etc/shadow"); err == nil {
			f.Close()
		}
	}
}
