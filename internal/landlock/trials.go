// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
)

// trial does what a right is about once: in the way that the right is meant for,
// or in one that may lead past it. All of it stays on loopback.
type trial struct {
	right access.Right
	// way is the way that is tried, 0 for the plain one.
	way access.Ways
	do  func(*ground) error
}

type trialKey struct {
	right string
	way   access.Ways
}

func (t trial) key() trialKey { return trialKey{t.right.Name, t.way} }

// trials has one for the plain way of each right and one for each way past it
// that is tried.
func trials() []trial {
	return append(
		past("net.bind_tcp", with(tcp, bind), map[string]func(*ground) error{
			"mptcp": with(mptcp, bind), "smc": ifLoaded(smcName, with(smc, bind)),
			"listen": with(tcp, listen),
		}),
		past("net.connect_tcp", with(tcp, connect), map[string]func(*ground) error{
			"mptcp": with(mptcp, connect), "smc": ifLoaded(smcName, with(smc, connect)),
			"tcp_fast_open": with(tcp, fastOpen),
		})...)
}

func past(name string, plain func(*ground) error, ways map[string]func(*ground) error) []trial {
	right, _ := access.Lookup(name)
	list := append(make([]trial, 0, 1+len(ways)), trial{right: right, do: plain})
	for name, do := range ways {
		w, _ := access.LookupWay(right, name)
		list = append(list, trial{right: right, way: w.Ways(), do: do})
	}
	return list
}

// ground is where trials are made: a TCP socket that listens on loopback.
type ground struct {
	listener int
	address  *unix.SockaddrInet4
	deadline time.Time
}

func newGround(limit time.Duration) (*ground, error) {
	fd, err := socket(tcp)
	if err != nil {
		return nil, err
	}
	g := &ground{listener: fd, deadline: time.Now().Add(limit)}
	const connections = 16 // more than there are trials: nobody accepts them
	err = errors.Join(unix.Bind(fd, loopback()), unix.Listen(fd, connections))
	name, unnamed := unix.Getsockname(fd)
	g.address, _ = name.(*unix.SockaddrInet4) // of that family it is
	err = errors.Join(err, unnamed)
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *ground) close() { unix.Close(g.listener) }

// loopback is 127.0.0.1 and any port.
func loopback() *unix.SockaddrInet4 { return &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}} }

// kind is one of the kinds of sockets that take addresses of TCP. They are never
// written.
type kind struct{ family, protocol int }

var (
	tcp   = kind{unix.AF_INET, 0}
	mptcp = kind{unix.AF_INET, unix.IPPROTO_MPTCP}
	smc   = kind{unix.AF_SMC, 0}
)

func socket(k kind) (int, error) {
	const flags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	return unix.Socket(k.family, unix.SOCK_STREAM|flags, k.protocol)
}

// with makes a trial of what is done with a new socket of a kind.
func with(k kind, do func(g *ground, fd int) error) func(*ground) error {
	return func(g *ground) error {
		fd, err := socket(k)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return do(g, fd)
	}
}

// bind takes a port.
func bind(_ *ground, fd int) error { return unix.Bind(fd, loopback()) }

// listen takes a port by listening. It listens on all addresses, so only what comes by
// the loopback device is let in.
func listen(_ *ground, fd int) error {
	if err := unix.BindToDevice(fd, "lo"); err != nil {
		return err
	}
	return unix.Listen(fd, 1)
}

// connect connects a socket to the TCP socket that listens.
func connect(g *ground, fd int) error { return g.connected(fd, unix.Connect(fd, g.address)) }

// fastOpen connects a TCP socket by sending.
func fastOpen(g *ground, fd int) error {
	const flags = unix.MSG_FASTOPEN | unix.MSG_NOSIGNAL
	return g.connected(fd, unix.Sendto(fd, []byte{0}, flags, g.address))
}

// connected waits for a connection that was begun with a result.
func (g *ground) connected(fd int, begun error) error {
	if begun != nil && !errors.Is(begun, unix.EINPROGRESS) {
		return begun
	}
	for {
		left := time.Until(g.deadline)
		if left <= 0 {
			return unix.ETIMEDOUT
		}
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(poll, int(left/time.Millisecond)+1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case n > 0:
			failed, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err != nil || failed == 0 {
				return err
			}
			return unix.Errno(failed)
		}
	}
}
