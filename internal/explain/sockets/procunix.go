// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// listening returns the listening Unix sockets of the calling thread's network
// namespace: by sock_diag(7), or where the kernel has no unix_diag, by
// /proc/net/unix, which does not have the files that they are bound to.
func listening() ([]listener, error) {
	all, err := listeners()
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPROTONOSUPPORT) {
		return all, err
	}
	b, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		return nil, fmt.Errorf("list Unix sockets: %w", err)
	}
	return parseProcUnix(string(b)), nil
}

// parseProcUnix reads /proc/net/unix (man proc_net): behind the number of the
// socket are references, protocol, flags, type and state, all hexadecimal, the
// inode number, and the name, which is any text. Lines that make no sense are
// left out: names can have line feeds.
func parseProcUnix(text string) []listener {
	const acceptsConnections = 1 << 16 // __SO_ACCEPTCON
	var all []listener
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		var fields [7]string
		rest := line
		for i := range fields {
			rest = strings.TrimLeft(rest, " ")
			var found bool
			if fields[i], rest, found = strings.Cut(rest, " "); !found && i < len(fields)-1 {
				break
			}
		}
		flags, err := strconv.ParseUint(fields[3], 16, 32)
		inode, err2 := strconv.ParseUint(fields[6], 10, 32)
		if err != nil || err2 != nil || flags&acceptsConnections == 0 || rest == "" || len(all) == maxListeners {
			continue
		}
		if rest[0] == '@' {
			rest = "\x00" + rest[1:]
		}
		all = append(all, listener{inode: uint32(inode), name: rest})
	}
	return all
}
