// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// peer is who connected, as the kernel names it.
type peer struct {
	// pid, uid and gid are the process and its effective user and group when it connected,
	// in this process's namespaces; pid is 0 if it is outside of its PID namespace.
	pid      int32
	uid, gid uint32
	// user has what is counted of all connections of uid; nil of root.
	user *user
	// label is what another security module calls it, empty if none does.
	label string
	// process is a pidfd: pid is believed only while that lives. Nil if the
	// process had gone by the time that the connection was accepted.
	process *os.File
	// uptime is when the connection was accepted, since boot.
	uptime time.Duration
}

// newPeer asks the kernel who connected. What is not known of the process stays
// zero: an error is one of the connection.
func newPeer(c *net.UnixConn) (*peer, error) {
	p := &peer{}
	var err error
	if p.uptime, err = scan.Uptime(); err != nil {
		return nil, err
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := raw.Control(func(fd uintptr) { err = p.ask(int(fd)) })
	if err := errors.Join(cerr, err); err != nil {
		p.close()
		return nil, fmt.Errorf("who connected: %w", err)
	}
	return p, nil
}

func (p *peer) ask(socket int) error {
	cred, err := unix.GetsockoptUcred(socket, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return err
	}
	p.pid, p.uid, p.gid = cred.Pid, cred.Uid, cred.Gid
	p.label, err = unix.GetsockoptString(socket, unix.SOL_SOCKET, unix.SO_PEERSEC)
	if errors.Is(err, unix.ENOPROTOOPT) {
		p.label = "" // no security module names peers
	} else if err != nil {
		p.label = "?"
	}
	fd, err := unix.GetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_PEERPIDFD)
	if errors.Is(err, unix.ENOPROTOOPT) {
		// Before Linux 6.5: who has this PID now. Another process could have it
		// by now only if this one died, and all PIDs were used since it connected.
		fd, err = unix.PidfdOpen(int(p.pid), 0)
	}
	if err == nil {
		p.process = os.NewFile(uintptr(fd), "pidfd")
	}
	return nil
}

// lives reports whether the process that connected still lives.
func (p *peer) lives() bool {
	if p.process == nil {
		return false
	}
	raw, err := p.process.SyscallConn()
	if err != nil {
		return false
	}
	lives := false
	err = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(fds, 0)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			lives = err == nil && n == 0
			return
		}
	})
	return err == nil && lives
}

// confined reports whether another security module keeps the peer from something, or
// might: what SELinux's policy denies cannot be computed here.
func (p *peer) confined() bool {
	label := strings.TrimRight(p.label, "\x00\n")
	if parts := strings.Split(label, ":"); len(parts) >= 3 {
		// SELinux: user:role:type, and a level where there are levels.
		return !strings.HasPrefix(parts[2], "unconfined_")
	}
	// AppArmor's word, and SELinux's while no policy is loaded.
	return label != "" && label != "unconfined" && label != "kernel"
}

// known reports whether it may be found out at all what a peer may see. Nobody else makes this
// host scan.
func (p *peer) known() bool { return p.pid > 0 && !p.confined() }

// find returns the peer in a snapshot that was begun after its request, if it still is who
// connected; else nil.
func (p *peer) find(s *scan.Snapshot) *scan.Process {
	q := s.Find(p.pid)
	if !p.known() || q == nil || q.UID != p.uid ||
		// Younger ones have the PID of one that was there before.
		q.Start > uint64(p.uptime+startTolerance) ||
		// Behind the snapshot: it lived all the time, and the PID was its own.
		!p.lives() {
		return nil
	}
	caller := *q
	if c := &caller.Credentials; p.uid != 0 {
		if c.GID != p.gid {
			return nil
		}
		// It could have executed a program that has the capability, after it connected. Whoever
		// made the user namespace had it from the start.
		c.SysPtrace = c.SysPtrace && c.Owner == p.uid
	}
	return &caller
}

// startTolerance is by how much a process's start may be later in a source than in
// fact: clocks are read one after the other.
const startTolerance = 10 * time.Millisecond

func (p *peer) close() {
	if p.process != nil {
		p.process.Close()
	}
}
