// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
)

// smcName is what the kernel calls the protocol of AF_SMC's sockets.
const smcName = "SMC"

// ifLoaded keeps a trial from loading a module, as a socket of its protocol would: for
// good, and on every host that landlockd looks at. Where others might load it, its ways
// are unknown.
func ifLoaded(protocol string, do func(*ground) error) func(*ground) error {
	return func(g *ground) error {
		switch loaded("/proc", protocol) {
		case access.Yes:
			return do(g)
		case access.No:
			return unix.EPROTONOSUPPORT
		default:
			return errNotTried
		}
	}
}

// loaded reports whether a kernel has a protocol: No if it does not and cannot load it.
func loaded(proc, protocol string) access.Answer {
	protocols, err := os.ReadFile(proc + "/net/protocols")
	if err != nil {
		return access.Unknown
	}
	for line := range strings.Lines(string(protocols)) {
		if name, _, _ := strings.Cut(line, " "); name == protocol {
			return access.Yes
		}
	}
	if _, err := os.Stat(proc + "/modules"); errors.Is(err, os.ErrNotExist) {
		return access.No // a kernel without modules
	}
	disabled, err := os.ReadFile(proc + "/sys/kernel/modules_disabled")
	if err == nil && strings.TrimSpace(string(disabled)) == "1" {
		return access.No // until the next boot
	}
	return access.Unknown
}
