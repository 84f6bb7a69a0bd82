// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net"
	"sync"
	"time"
)

// grace is what every client has to send its request in, however many others come.
const grace = 100 * time.Millisecond

// limited is a listener with so many connections open at a time. When there are more, the one
// that has waited longest for its client makes room: whoever holds connections, and opens
// each anew that is closed, would otherwise keep all others from scraping. Prometheus sends
// its request at once, and keeps a connection between two scrapes only as long as it can.
//
// netutil.LimitListener has those beyond wait until others end.
type limited struct {
	net.Listener
	max int

	mu        sync.Mutex
	changed   *sync.Cond // any of the others, or a connection's
	accepting bool       // Accept may have a connection that is not in open yet
	open      map[*conn]struct{}
	closed    bool
}

// conn is a connection of one, which knows who has to do something: its client since a time,
// or, as long as busy is above 0, the daemon.
type conn struct {
	net.Conn
	of    *limited
	since time.Time
	busy  int
	asked bool // had a request
}

func limit(l net.Listener, most int) *limited {
	limited := &limited{Listener: l, max: most, open: map[*conn]struct{}{}}
	limited.changed = sync.NewCond(&limited.mu)
	return limited
}

func (l *limited) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepting = true
	defer func() {
		l.accepting = false
		l.changed.Signal()
	}()
	l.mu.Unlock()
	accepted, err := l.Listener.Accept()
	l.mu.Lock()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted, of: l, since: time.Now()}
	// Where nobody else comes any more, this one needs no room.
	for len(l.open) >= l.max && !l.closed {
		if longest := l.longest(); longest == nil { // all are being answered
			l.changed.Wait()
		} else if left := grace - time.Since(longest.since); left > 0 {
			l.waitFor(left)
		} else {
			delete(l.open, longest)
			_ = longest.Conn.Close() // it is the server's to close, too
		}
	}
	l.open[c] = struct{}{}
	return c, nil
}

// waitFor waits for a change, and for so long at most.
func (l *limited) waitFor(d time.Duration) {
	defer time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Broadcast()
	}).Stop()
	l.changed.Wait()
}

// longest returns the connection that has waited longest for its client; nil if none waits.
func (l *limited) longest() (longest *conn) {
	for c := range l.open {
		if c.busy == 0 && (longest == nil || c.since.Before(longest.since)) {
			longest = c
		}
	}
	return longest
}

func (l *limited) Close() error {
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.changed.Signal()
	c.of.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{}

// withConn is for http.Server.ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = secured.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

// answering has a request's connection wait for the daemon, and no more for its client,
// until done is called, once or more.
func answering(ctx context.Context) (done func()) {
	c, ok := ctx.Value(connKey{}).(*conn)
	if !ok {
		return func() {}
	}
	add := func(n int) {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		c.busy += n
		c.since = time.Now()
		c.of.changed.Signal()
	}
	add(1)
	return sync.OnceFunc(func() { add(-1) })
}
