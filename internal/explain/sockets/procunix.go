// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/lazyregexp"
)

// listening returns the Unix sockets of the calling thread's network namespace that take
// connections or datagrams: by sock_diag(7), or where the kernel has no unix_diag, by
// /proc/net/unix, which does not have the files that they are bound to.
func listening() ([]listener, error) {
	all, err := listeners()
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) &&
		!errors.Is(err, unix.EPROTONOSUPPORT) {
		return all, err
	}
	b, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		return nil, fmt.Errorf("list Unix sockets: %w", err)
	}
	return parseProcUnix(string(b)), nil
}

// procUnixLine is a line of /proc/net/unix (man proc_net): behind the number of the
// socket are references, protocol, flags, type and state, all hexadecimal, the inode
// number, and the name, which is any text.
var procUnixLine = lazyregexp.New(
	`^[^ ]+: [^ ]+ [^ ]+ ([0-9A-F]{8}) ([0-9A-F]{4}) [^ ]+ +([0-9]+) (.+)`)

// parseProcUnix leaves out lines that make no sense: names can have line feeds.
func parseProcUnix(text string) []listener {
	const acceptsConnections = 1 << 16 // __SO_ACCEPTCON
	const datagrams = "0002"           // SOCK_DGRAM; whether it has a peer is not shown
	var all []listener
	for line := range strings.Lines(text) {
		m := procUnixLine().FindStringSubmatch(line)
		if m == nil || len(all) == maxListeners {
			continue
		}
		flags, _ := strconv.ParseUint(m[1], 16, 32)
		datagram := m[2] == datagrams
		inode, err := strconv.ParseUint(m[3], 10, 32)
		if err != nil || flags&acceptsConnections == 0 && !datagram {
			continue
		}
		name := m[4]
		if name[0] == '@' {
			name = "\x00" + name[1:]
		}
		all = append(all, listener{inode: uint32(inode), name: name, datagram: datagram})
	}
	return all
}
