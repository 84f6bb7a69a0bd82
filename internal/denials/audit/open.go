// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// bufferSize is what records may take in the kernel until they are read; twice
// that, as the kernel counts, about 1 kB for each. A denial has two: so it holds a
// burst of 10 000 denials, and some more. It takes no memory until it is needed.
const bufferSize = 16 << 20

// ErrNetNS is why nothing would come: the kernel sends records to the initial network
// namespace alone.
var ErrNetNS = errors.New("this process is in a network namespace of its own, " +
	"and audit records go to the initial one alone (on Kubernetes: hostNetwork)")

// Open joins the group. It needs CAP_AUDIT_READ in the initial user namespace. The
// descriptor may be handed to another process.
func Open() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_AUDIT)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, fmt.Errorf("this kernel has no audit (CONFIG_AUDIT): %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("socket(NETLINK_AUDIT): %w", err)
	}
	f := os.NewFile(uintptr(fd), "landlockd-audit")
	if otherNetNS(fd) {
		f.Close()
		return nil, ErrNetNS
	}
	if err := prepare(fd); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func prepare(fd int) error {
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, filter()); err != nil {
		return fmt.Errorf("setsockopt(SO_ATTACH_FILTER): %w", err)
	}
	// Whoever takes over the process that reads must not get all of the audit log.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1); err != nil {
		return fmt.Errorf("setsockopt(SO_LOCK_FILTER): %w", err)
	}
	// CAP_NET_ADMIN lets it grow beyond net.core.rmem_max.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bufferSize); err != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bufferSize); err != nil {
			return fmt.Errorf("setsockopt(SO_RCVBUF): %w", err)
		}
	}
	// The group that gets copies of all records.
	const readLog = 1 << (unix.AUDIT_NLGRP_READLOG - 1)
	err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: readLog})
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("join the audit log's readers: %w (CAP_AUDIT_READ, in the initial user namespace)", err)
	}
	if err != nil {
		return fmt.Errorf("join the audit log's readers: %w", err)
	}
	return nil
}

// filter returns a program that passes the types of records that are read. Others
// would take their room.
func filter() *unix.SockFprog {
	types := []uint16{unix.AUDIT_SYSCALL, unix.AUDIT_CONFIG_CHANGE, unix.AUDIT_LANDLOCK_ACCESS, unix.AUDIT_LANDLOCK_DOMAIN}
	// The type is in the machine's order, and what the program loads in the network's.
	const typeAt = 4 // in struct nlmsghdr
	prog := make([]unix.SockFilter, 0, len(types)+3)
	prog = append(prog, unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: typeAt})
	for i, t := range types {
		var b [2]byte
		binary.NativeEndian.PutUint16(b[:], t)
		prog = append(prog, unix.SockFilter{
			Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(binary.BigEndian.Uint16(b[:])),
			Jt: uint8(len(types) - i),
		})
	}
	prog = append(prog,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)})
	return &unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
}

// otherNetNS reports whether the socket, of this process's network namespace, is known
// to be in another one than the initial: that got the first cookie, until Linux 6.18
// gave it an inode number of its own (the kernel's NET_NS_INIT_INO).
func otherNetNS(fd int) bool {
	const firstCookie, initNetNS = 1, 0xEFFFFFF9
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	var own unix.Stat_t
	if err != nil || unix.Stat("/proc/self/ns/net", &own) != nil {
		return false
	}
	return cookie != firstCookie && own.Ino != initNetNS
}
