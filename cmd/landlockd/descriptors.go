// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/web"
)

// fewDescriptors is what every command has room with.
const fewDescriptors = 128

// apiDescriptors is what the most connections to the API's socket, and what each needs to
// find out who asks, take beside.
const apiDescriptors = 128

// checkDescriptors reports that there can be fewer open files than a command may need. With
// too few, Go's runtime ends the process, a host is taken for one that cannot be scanned, and
// whoever connects keeps scans from being made.
func checkDescriptors(c command) error {
	need := uint64(fewDescriptors)
	switch c := c.(type) {
	case *serve:
		need += apiDescriptors + uint64(len(c.o.Listen))*web.MaxConnections
	case *browse:
		need += web.MaxConnections
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("getrlimit(RLIMIT_NOFILE): %w", err)
	}
	if limit.Cur < need {
		return fmt.Errorf("it may open %d files at a time, and needs %d: "+
			"raise the limit (LimitNOFILE= of its unit, or ulimit -n)", limit.Cur, need)
	}
	return nil
}
