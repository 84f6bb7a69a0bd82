// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// listener is one Unix socket that takes connections, or datagrams from anybody, as
// sock_diag(7) reports it.
type listener struct {
	inode uint32
	// name is the path, or begins with a NUL.
	name string
	// file is the inode that it is bound to, by the number and the device that
	// the kernel's own structures have; hasFile if it is known.
	hasFile          bool
	fileIno, fileDev uint32
	// datagram: it takes datagrams. hasPeer: it does from one socket alone.
	datagram, hasPeer bool
}

// Of include/uapi/linux/unix_diag.h.
const (
	udiagShowName = 0x01
	udiagShowVFS  = 0x02
	udiagShowPeer = 0x04

	unixDiagName = 0
	unixDiagVFS  = 1
	unixDiagPeer = 2

	sizeRequest = 24 // struct unix_diag_req
	sizeMessage = 16 // struct unix_diag_msg

	// States of the kernel's net/tcp_states.h. A socket of datagrams is closed, or established
	// if it has a peer or is one: only one that has a peer takes them from nobody else.
	tcpEstablished    = 1
	tcpClose          = 7
	tcpListen         = 10
	sockDiagByFamily  = 20
	maxListeners      = 1 << 20
	maxDiagnoseRounds = 1 << 16
)

// listeners returns the Unix sockets of the calling thread's network namespace that take
// connections or datagrams.
func listeners() ([]listener, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("socket(NETLINK_SOCK_DIAG): %w", err)
	}
	defer unix.Close(fd)
	ne := binary.NativeEndian
	req := make([]byte, unix.SizeofNlMsghdr+sizeRequest)
	ne.PutUint32(req, uint32(len(req)))
	ne.PutUint16(req[4:], sockDiagByFamily)
	ne.PutUint16(req[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := req[unix.SizeofNlMsghdr:]
	body[0] = unix.AF_UNIX
	ne.PutUint32(body[4:], 1<<tcpListen|1<<tcpClose|1<<tcpEstablished)
	ne.PutUint32(body[12:], udiagShowName|udiagShowVFS|udiagShowPeer)
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("ask for Unix sockets: %w", err)
	}
	var all []listener
	b := make([]byte, 64<<10)
	for range maxDiagnoseRounds {
		n, _, err := unix.Recvfrom(fd, b, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read Unix sockets: %w", err)
		}
		done, err := parseDiag(b[:n], func(l listener) {
			if len(all) < maxListeners {
				all = append(all, l)
			}
		})
		if done || err != nil {
			return all, err
		}
	}
	return nil, errors.New("read Unix sockets: no end")
}

var errMessage = errors.New("a message of sock_diag that makes no sense")

// parseDiag reads the messages of one answer. done reports whether it was the last.
func parseDiag(b []byte, each func(listener)) (done bool, err error) {
	ne := binary.NativeEndian
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return true, errMessage
	}
	for _, m := range messages {
		switch {
		case m.Header.Type == unix.NLMSG_DONE:
			return true, nil
		case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
			errno := unix.Errno(-int32(ne.Uint32(m.Data)))
			return true, fmt.Errorf("the kernel does not list Unix sockets: %w", errno)
		case m.Header.Type != sockDiagByFamily:
			continue
		case len(m.Data) < sizeMessage:
			return true, errMessage
		}
		l := listener{inode: ne.Uint32(m.Data[4:])}
		l.datagram = m.Data[1] == unix.SOCK_DGRAM
		if m.Data[0] != unix.AF_UNIX || m.Data[2] != tcpListen && !l.datagram {
			continue
		}
		if l.attributes(m.Data[sizeMessage:]); !l.datagram || l.name != "" && !l.hasPeer {
			each(l)
		}
	}
	return false, nil
}

// attributes reads what follows a message.
func (l *listener) attributes(b []byte) {
	const header = 4
	ne := binary.NativeEndian
	for len(b) >= header {
		size, kind := int(ne.Uint16(b)), ne.Uint16(b[2:])
		if size < header || size > len(b) {
			return
		}
		value := b[header:size]
		b = b[min(len(b), (size+3)&^3):]
		switch {
		case kind == unixDiagName:
			l.name = string(value)
		case kind == unixDiagPeer:
			l.hasPeer = true
		case kind == unixDiagVFS && len(value) >= 8:
			l.hasFile, l.fileIno, l.fileDev = true, ne.Uint32(value), ne.Uint32(value[4:])
		}
	}
}
