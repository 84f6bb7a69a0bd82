// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// inherited is what a second stage finds of what the first one had.
type inherited struct {
	// Keys are the errors of searching keyrings for the key, by keyring; empty for one
	// that was found.
	Keys map[string]string
	// Stdin is what standard input holds.
	Stdin string
	// Timer is what is left of ITIMER_REAL.
	Timer       time.Duration
	Personality uint64
	Umask       int
	Core        uint64 // the limit of core files, hard
}

const noRandomisation = 0x40000 // ADDR_NO_RANDOMIZE

// bequeath puts a key into the session keyring, and another one of the same name into
// the user's keyring, to which the session's links, as PAM makes it; and sets the rest.
func bequeath(key string) error {
	runtime.LockOSThread() // keyrings are a thread's
	if _, err := unix.KeyctlJoinSessionKeyring("landlockd-test-" + strconv.Itoa(os.Getpid())); err != nil {
		return fmt.Errorf("session keyring: %w", err)
	}
	if _, err := unix.AddKey("user", key, []byte("correct horse"), unix.KEY_SPEC_SESSION_KEYRING); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	_, err := unix.KeyctlInt(unix.KEYCTL_LINK, unix.KEY_SPEC_USER_KEYRING, unix.KEY_SPEC_SESSION_KEYRING, 0, 0)
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	linked, err := unix.AddKey("user", key+"-linked", []byte("battery"), unix.KEY_SPEC_USER_KEYRING)
	if err != nil {
		return fmt.Errorf("key of the user: %w", err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, linked, 60, 0, 0); err != nil {
		return fmt.Errorf("key of the user: %w", err)
	}
	if got := inherit(key); got.Keys["session"] != "" || got.Keys["linked"] != "" {
		return fmt.Errorf("the first stage does not find its keys: %v", got.Keys)
	}
	secret, err := os.Open("/etc/shadow")
	if err != nil {
		return err
	}
	if err := unix.Dup3(int(secret.Fd()), 0, 0); err != nil {
		return err
	}
	if _, err := unix.Setitimer(unix.ItimerReal, unix.Itimerval{Value: unix.Timeval{Sec: 3600}}); err != nil {
		return err
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_PERSONALITY, noRandomisation, 0, 0); errno != 0 {
		return errno
	}
	unix.Umask(0)
	return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20})
}

// inherit looks for what bequeath left, on every keyring that a process can name.
func inherit(key string) inherited {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	found := inherited{Keys: map[string]string{}}
	for name, at := range map[string]struct {
		ring int
		key  string
	}{
		"session": {unix.KEY_SPEC_SESSION_KEYRING, key},
		"linked":  {unix.KEY_SPEC_SESSION_KEYRING, key + "-linked"},
		"user":    {unix.KEY_SPEC_USER_KEYRING, key + "-linked"},
		"process": {unix.KEY_SPEC_PROCESS_KEYRING, key},
		"thread":  {unix.KEY_SPEC_THREAD_KEYRING, key},
	} {
		_, err := unix.KeyctlSearch(at.ring, "user", at.key, 0)
		found.Keys[name] = errorName(err)
	}
	if b, err := io.ReadAll(io.LimitReader(os.Stdin, 16)); err != nil {
		found.Stdin = err.Error()
	} else {
		found.Stdin = string(b)
	}
	if it, err := unix.Getitimer(unix.ItimerReal); err == nil {
		found.Timer = time.Duration(it.Value.Nano())
	}
	now, _, _ := unix.RawSyscall(unix.SYS_PERSONALITY, 0xffffffff, 0, 0)
	found.Personality = uint64(now)
	found.Umask = unix.Umask(0o077)
	var core unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &core) == nil {
		found.Core = core.Max
	}
	return found
}

// TestExecInheritsNothing: what execve(2) hands on unasked is of no use, for a user of
// its own, and for one who stays root.
func TestExecInheritsNothing(t *testing.T) {
	testenv.NeedRoot(t)
	for name, o := range map[string]order{
		"nobody": {Goal: Goal{UID: 65534, GID: 65534}},
		"root":   {Goal: Goal{UID: -1, GID: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Heirloom, o.Dial = "landlockd-heirloom", "127.0.0.1:1"
			got := runStages(t, t.TempDir(), o).Inherited
			for ring, err := range got.Keys {
				own := ring == "user" && name == "root" // root's by his ID, not inherited
				if err == "" && !own {
					t.Errorf("a key of the first stage is found in the keyring %q", ring)
				}
			}
			if len(got.Keys) != 5 {
				t.Errorf("%d keyrings were searched", len(got.Keys))
			}
			if got.Stdin != "" {
				t.Errorf("standard input holds %q", got.Stdin)
			}
			if got.Timer != 0 {
				t.Errorf("a timer ends in %s", got.Timer)
			}
			if got.Personality != 0 || got.Umask != 0o077 || got.Core != 0 {
				t.Errorf("personality %#x, umask %04o, core files of up to %d bytes",
					got.Personality, got.Umask, got.Core)
			}
		})
	}
}
