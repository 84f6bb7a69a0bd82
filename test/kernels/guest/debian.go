// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// debian is where the host puts a Debian, in boots that have one.
const debian = "/debian"

// enterDebian makes the Debian the root of the first process, which becomes its systemd: that
// starts this program again, as a service. It returns only if that fails.
func enterDebian() error {
	// The root itself cannot be moved, and systemd wants one that was mounted.
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"give it this program", func() error { return os.Link(self, debian+self) }},
		{"mount it", func() error { return unix.Mount(debian, debian, "", unix.MS_BIND, "") }},
		{"go there", func() error { return os.Chdir(debian) }},
		{"move it", func() error { return unix.Mount(".", "/", "", unix.MS_MOVE, "") }},
		{"make it the root", func() error { return unix.Chroot(".") }},
		{"go to the root", func() error { return os.Chdir("/") }},
		{"execute systemd", func() error { return unix.Exec("/usr/lib/systemd/systemd", []string{"/sbin/init"}, nil) }},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}
