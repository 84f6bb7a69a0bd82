// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// stopTimeout is how long a server may take to stop: for requests that connections which it
// accepted still owe it, and for answers that are under way.
const stopTimeout = 5 * time.Second

// drainable is a listener that can stop before its server does.
type drainable struct {
	*limited
	stopped, closed chan struct{}
	once            sync.Once
}

func newDrainable(l *limited) *drainable {
	return &drainable{limited: l, stopped: make(chan struct{}), closed: make(chan struct{})}
}

// Accept blocks between stop and Close.
func (l *drainable) Accept() (net.Conn, error) {
	c, err := l.limited.Accept()
	if err != nil {
		select {
		case <-l.stopped:
			<-l.closed
		default:
		}
	}
	return c, err
}

// stop accepts nobody any more. It is called once.
func (l *drainable) stop() {
	close(l.stopped)
	_ = l.limited.Close()
}

// Close implements net.Listener.
func (l *drainable) Close() error {
	l.once.Do(func() { close(l.closed) })
	select {
	case <-l.stopped:
		return nil
	default:
		return l.limited.Close()
	}
}

// drain stops the listeners, then the server.
//
// http.Server.Shutdown closes without an answer whatever was accepted and has its request
// read later, so it has to wait for those; with a socket of systemd, nobody else would be
// turned away. An idle connection is closed at once, and a request that is on its way there
// gets no answer: HTTP/1.1 cannot announce that, and has clients expect it (RFC 9112, 9.3.1).
// Answers that are still to be made do announce that they are the last.
func drain(server *http.Server, listeners []*drainable) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, l := range listeners {
		l.stop()
	}
	server.SetKeepAlivesEnabled(false)
	for _, l := range listeners {
		l.waitForFirst(ctx)
	}
	if err := server.Shutdown(ctx); err != nil {
		_ = server.Close()
	}
}

// waitForFirst waits until every connection that was accepted has had its first request, or
// has ended, or ctx ends. Nothing may be accepted any more.
func (l *limited) waitForFirst(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Broadcast()
	})()
	for (l.accepting || l.owed()) && ctx.Err() == nil {
		l.changed.Wait()
	}
}

// owed reports whether some connection has not had its first request.
func (l *limited) owed() bool {
	for c := range l.open {
		if !c.asked {
			return true
		}
	}
	return false
}

// noting has h answer, after noting that the request's connection has asked. That is later
// than http.StateActive, after which Shutdown can still keep a request from its handler.
func noting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(*conn); ok {
			c.of.mu.Lock()
			c.asked = true
			c.of.changed.Signal()
			c.of.mu.Unlock()
		}
		h.ServeHTTP(w, r)
	})
}
