// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net"
	"sync"
)

// How many connections are open at a time: of root, of all other users together, which cannot
// keep root out, and of each of those. One beyond is closed at once.
const (
	maxConnections = 16
	maxOthers      = 48
	maxOfUser      = 8
)

// user is one who is not root, while he has connections.
type user struct {
	open int
	// turn holds one while a request of his is answered: for each the host is scanned anew,
	// so that he has as many answers as there are scans.
	turn chan struct{}
}

// begin waits for the user's turn, and reports whether it has come.
func (u *user) begin(ctx context.Context) bool {
	select {
	case u.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (u *user) end() { <-u.turn }

// listener accepts connections with their peers.
type listener struct {
	*net.UnixListener

	mu           sync.Mutex
	root, others int
	users        map[uint32]*user
}

func newListener(l *net.UnixListener) *listener {
	return &listener{UnixListener: l, users: map[uint32]*user{}}
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
		if l.enter(p) {
			return &conn{c, p, sync.OnceFunc(func() {
				p.close()
				l.leave(p)
			})}, nil
		}
		p.close()
		c.Close()
	}
}

// enter counts a connection, and reports whether there is room for it.
func (l *listener) enter(p *peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.uid == 0 {
		if l.root == maxConnections {
			return false
		}
		l.root++
		return true
	}
	u := l.users[p.uid]
	if l.others == maxOthers || u != nil && u.open == maxOfUser {
		return false
	}
	if u == nil {
		u = &user{turn: make(chan struct{}, 1)}
		l.users[p.uid] = u
	}
	l.others++
	u.open++
	p.user = u
	return true
}

func (l *listener) leave(p *peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.user == nil {
		l.root--
		return
	}
	l.others--
	if p.user.open--; p.user.open == 0 {
		delete(l.users, p.uid)
	}
}

// Close closes the connection and forgets its peer.
func (c *conn) Close() error {
	err := c.UnixConn.Close()
	c.end()
	return err
}
