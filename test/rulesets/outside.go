// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/thread"
	"github.com/landlockd/landlockd/test/netns"
)

// Ports that nobody has: one that the kernel never picks, and one that it may.
const lowPort, highPort = 23, 40001

// outside is what listens outside of all domains: on Unix sockets, and in a network namespace
// of its own on a port and on abstract ones.
type outside struct {
	namespace int
	port      uint16
	abstract  string // two are called so, with an s and a d behind it
	listeners []io.Closer
}

func newOutside(dirs []string) (*outside, error) {
	o := &outside{namespace: -1, abstract: fmt.Sprintf("@landlockd-reach-%d", os.Getpid())}
	var err error
	wait := thread.Run(func() { err = o.listen() })
	wait()
	for _, dir := range dirs {
		if err == nil {
			err = o.listenAt(filepath.Join(dir, "s"), filepath.Join(dir, "d"))
		}
	}
	if err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *outside) close() {
	for _, l := range o.listeners {
		l.Close()
	}
	unix.Close(o.namespace)
}

// listen makes the namespace, and what listens in it.
func (o *outside) listen() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare(2): %w", err)
	}
	var err error
	self := fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
	if o.namespace, err = unix.Open(self, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("open %s: %w", self, err)
	}
	if err := netns.LoopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	l, err := net.Listen("tcp", ":0") // IPv4, and IPv6 if there is any
	if err != nil {
		return err
	}
	o.port = uint16(l.Addr().(*net.TCPAddr).Port)
	go o.accept(l)
	o.listeners = append(o.listeners, l)
	return o.listenAt(o.abstract+"s", o.abstract+"d")
}

// listenAt makes Unix sockets: one that takes connections, and one for datagrams.
func (o *outside) listenAt(stream, datagrams string) error {
	l, err := net.Listen("unix", stream)
	if err != nil {
		return err
	}
	o.listeners = append(o.listeners, l)
	go o.accept(l)
	d, err := net.ListenPacket("unixgram", datagrams)
	if err != nil {
		return err
	}
	o.listeners = append(o.listeners, d)
	go func() {
		b := make([]byte, 1)
		for {
			if _, _, err := d.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	return nil
}

// accept waits until the other side closes: then the ports of that are soon free.
func (o *outside) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil {
			continue
		}
		go func() {
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}()
	}
}
