// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// State is the kernel's state of audit (struct audit_status).
type State struct {
	// Enabled: records are written.
	Enabled bool
	// Daemon is the PID of the audit daemon, 0 if none runs: then the kernel
	// writes records to its own log.
	Daemon uint32
	// RateLimit is the number of records a second beyond which they are lost, 0
	// for no limit. BacklogLimit is how many may wait in the kernel; Landlock's
	// are lost beyond it.
	RateLimit, BacklogLimit uint32
	// Lost is the number of records that were lost since boot, Backlog of those
	// that wait now.
	Lost, Backlog uint32
}

// ReadState asks for the state and changes nothing. It needs CAP_AUDIT_CONTROL
// all the same.
func ReadState() (State, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		return State{}, fmt.Errorf("socket(NETLINK_AUDIT): %w", err)
	}
	defer unix.Close(fd)
	timeout := unix.Timeval{Sec: 2}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return State{}, fmt.Errorf("setsockopt(SO_RCVTIMEO): %w", err)
	}
	request := make([]byte, unix.SizeofNlMsghdr)
	binary.NativeEndian.PutUint32(request[0:], uint32(len(request)))
	binary.NativeEndian.PutUint16(request[4:], unix.AUDIT_GET)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return State{}, fmt.Errorf("ask for the state of audit: %w", err)
	}
	answer := make([]byte, 1<<10)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return State{}, fmt.Errorf("state of audit: %w", err)
	}
	return parseState(answer[:n])
}

func parseState(b []byte) (State, error) {
	if len(b) < unix.SizeofNlMsghdr+4 {
		return State{}, errors.New("state of audit: the answer is too short")
	}
	kind, body := binary.NativeEndian.Uint16(b[4:]), b[unix.SizeofNlMsghdr:]
	word := func(i int) uint32 { return binary.NativeEndian.Uint32(body[4*i:]) }
	switch {
	case kind == unix.NLMSG_ERROR:
		return State{}, fmt.Errorf("state of audit: %w", unix.Errno(-int32(word(0))))
	case kind != unix.AUDIT_GET || len(body) < 32:
		return State{}, fmt.Errorf("state of audit: the answer is of type %d and has %d bytes", kind, len(body))
	}
	return State{
		Enabled: word(1) != 0, Daemon: word(3), RateLimit: word(4), BacklogLimit: word(5),
		Lost: word(6), Backlog: word(7),
	}, nil
}
