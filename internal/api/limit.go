// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net"
	"sync"
)

// maxConnections is how many are open at a time of root, and of all other users
// together: these cannot keep root out. Those beyond are closed at once.
const maxConnections = 16

// listener accepts connections with their peers.
type listener struct {
	*net.UnixListener
	root, others chan struct{}
}

func newListener(l *net.UnixListener) *listener {
	return &listener{l, make(chan struct{}, maxConnections), make(chan struct{}, maxConnections)}
}

// conn is a connection that knows its peer.
type conn struct {
	*net.UnixConn
	peer *peer
	end  func()
}

// Accept returns the next connection that there is room for.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		p, err := newPeer(c)
		if err != nil {
			c.Close()
			continue
		}
		room := l.others
		if p.uid == 0 {
			room = l.root
		}
		select {
		case room <- struct{}{}:
			return &conn{c, p, sync.OnceFunc(func() {
				p.close()
				<-room
			})}, nil
		default:
			p.close()
			c.Close()
		}
	}
}

// Close closes the connection and forgets its peer.
func (c *conn) Close() error {
	err := c.UnixConn.Close()
	c.end()
	return err
}
