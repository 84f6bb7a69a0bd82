// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/internal/thread"
)

// Unprivileged reports whether a process without any capability can scan with this
// source. Before Linux 5.19 it cannot: there it must keep CAP_BPF. It is tried, on a
// thread that gives its capabilities up and then ends.
func (s *Source) Unprivileged() bool {
	ok := false
	thread.Run(func() {
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if unix.Capset(&hdr, &none[0]) != nil {
			return
		}
		if fd, err := bpffile.CreateIterator(s.fd(linkFile)); err == nil {
			unix.Close(fd)
			ok = true
		}
	})()
	return ok
}
