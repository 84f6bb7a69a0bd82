// SPDX-License-Identifier: Apache-2.0

// Package sandbox puts threads of tests into sandboxes.
package sandbox

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
)

// Layer is one ruleset.
type Layer struct {
	Handled access.Rights
	// Files are the rights granted by path, Ports those by port.
	Files map[string]uint32
	Ports map[uint16]uint32
}

// Sandbox is a stack of layers, the outermost first.
type Sandbox []Layer

// Harmless returns a sandbox of so many layers that denies nothing a test's program
// needs: each handles one right to make a special file (fs.make_char to fs.make_sym),
// another one than the layers beside it.
func Harmless(layers int) Sandbox {
	s := make(Sandbox, layers)
	for i := range s {
		s[i].Handled = access.Rights{access.FS: 1 << (6 + i%6)}
	}
	return s
}

// Enter puts the calling thread in the sandbox. Its goroutine must be locked to it, and
// what follows on the thread is in the sandbox for ever. No layer is no sandbox.
func (s Sandbox) Enter() error {
	if len(s) == 0 {
		return nil
	}
	if err := landlock.NoNewPrivs(); err != nil {
		return err
	}
	for i := range s {
		if err := s[i].enter(); err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	return nil
}

func (l *Layer) enter() error {
	ruleset, err := landlock.CreateRuleset(l.Handled)
	if err != nil {
		return err
	}
	defer unix.Close(ruleset)
	for path, rights := range l.Files {
		// O_PATH needs no right: any layer before lets it pass.
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		err = landlock.AllowBeneath(ruleset, fd, rights)
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("rule on %s: %w", path, err)
		}
	}
	for port, rights := range l.Ports {
		if err := allowPort(ruleset, port, rights); err != nil {
			return fmt.Errorf("rule on port %d: %w", port, err)
		}
	}
	return landlock.RestrictThread(ruleset)
}

// allowPort adds a rule that grants rights on a port, TCP or UDP by the rights.
func allowPort(ruleset int, port uint16, rights uint32) error {
	const ruleNetPort = 2 // LANDLOCK_RULE_NET_PORT (Linux 6.7)
	attr := struct{ allowed, port uint64 }{uint64(rights), uint64(port)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), ruleNetPort,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock_add_rule(2): %w", errno)
	}
	return nil
}
